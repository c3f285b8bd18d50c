/** Every file of data that a command reads, so that none of them is written over. */
import type { Options } from '../../config/options.js'
import { listFiles } from '../../data/read/read-files.js'

type DataKey = 'trainDataset' | 'evalDataset' | 'sftDataset' | 'relabels' | 'answersFile'
type Named = Partial<Pick<Options, DataKey | 'rewardFunction'>>

/**
 * The files that some keys of data name, and the module of `reward_function`.
 * @throws ClhaError (exit 2) as `listFiles`, for each key by itself: two may name one file
 */
export async function dataRead(options: Named, keys: readonly DataKey[]): Promise<string[]> {
  const files = await Promise.all(keys.map((key) => listFiles(options[key] ?? [])))
  return [...files.flat(), ...[options.rewardFunction ?? []].flat()]
}
