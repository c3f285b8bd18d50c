/** What an experiment on real data reads: under other data, or another start model, a finished cell is not this one. */
import { existsSync } from 'node:fs'
import type { ConfigValues } from '../../config/defaults.js'
import { listFiles } from '../../data/read/read-files.js'
import { sha256, sha256File } from '../../files/digest.js'
import { modelHash, resolveModelFolder } from '../../models/folders/model-folder.js'

/**
 * SHA-256 of the data files and the start model; undefined where one is not on this disk: the hub pins it by its commit.
 * @param base config keys of all cells
 */
export async function inputsHash(base: Partial<ConfigValues>): Promise<string | undefined> {
  const named = [base.train_dataset, base.eval_dataset, base.sft_dataset, base.relabels].map((paths) =>
    [paths ?? []].flat(),
  )
  const { model_name_or_path: start } = base
  if (![...named.flat(), ...[start ?? []].flat()].every((path) => existsSync(path))) return undefined
  const hashes: string[][] = []
  for (const paths of named) {
    const files = paths.length > 0 ? await listFiles(paths) : []
    hashes.push(await Promise.all(files.map(sha256File)))
  }
  const model = start === undefined ? [] : [await modelHash(resolveModelFolder(start))]
  return sha256(JSON.stringify([...hashes, model]))
}
