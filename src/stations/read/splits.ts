/** Which prompts train, which choose checkpoints, which are kept for the evaluation. */
import { type Splits, splitByPrompt } from '../../data/split.js'
import type { DataFile } from '../../runs/run-manifest.js'
import type { Session } from '../../session/session.js'
import { loadData } from './load-data.js'

export interface SplitData extends Splits {
  files: DataFile[]
}

/** `train` chooses checkpoints on a part of its own; `align` and `eval` have none and take the part kept for the evaluation. */
export type SplitUse = 'train' | 'align' | 'eval'

/**
 * Reads train_dataset (and eval_dataset) and splits by prompt hash. The same fractions and seed always keep the same prompts
 * for the evaluation, whichever command asks; with an eval_dataset nothing of train_dataset is kept back for it.
 */
export async function loadSplits(session: Session, minCandidates: 1 | 2, use: SplitUse): Promise<SplitData> {
  const { options } = session
  const { examples, files } = await loadData(
    session,
    options.trainDataset as string | string[],
    minCandidates,
  )
  const splits = splitByPrompt(examples, { fractions: fractionsOf(options, use), seed: options.seed })
  if (options.evalDataset === undefined) return { ...splits, files }
  const held = await loadData(session, options.evalDataset, minCandidates)
  const all = [...files, ...held.files]
  return use === 'train'
    ? { ...splits, dev: held.examples, files: all }
    : { ...splits, test: held.examples, files: all }
}

export function fractionsOf(
  options: Session['options'],
  use: SplitUse,
): { train: number; dev: number; test: number } {
  const test = options.evalDataset === undefined ? options.testFraction : 0
  const dev = use === 'align' ? 0 : options.devFraction
  return { train: 1 - dev - test, dev, test }
}
