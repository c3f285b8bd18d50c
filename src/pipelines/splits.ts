/** Which prompts train, which choose checkpoints, which are kept for the evaluation. */
import type { Example } from '../data/example.js'
import { type Splits, splitByPrompt } from '../data/split.js'
import type { DataFile } from '../runs/run-manifest.js'
import { loadData } from './data.js'
import type { Session } from './session.js'

export interface SplitData extends Splits {
  files: DataFile[]
}

/** Reads train_dataset (and eval_dataset) and splits by prompt hash; the same config always gives the same split. */
export async function loadSplits(session: Session, minCandidates: 1 | 2, withTest: boolean): Promise<SplitData> {
  const { options } = session
  const { examples, files } = await loadData(session, options.trainDataset as string | string[], minCandidates)
  const test = withTest ? options.testFraction : 0
  const dev = options.devFraction
  const splits = splitByPrompt(examples, { fractions: { train: 1 - dev - test, dev, test }, seed: options.seed })
  if (options.evalDataset === undefined) return { ...splits, files }
  const held = await loadData(session, options.evalDataset, minCandidates)
  return withTest
    ? { ...splits, test: held.examples, files: [...files, ...held.files] }
    : { ...splits, dev: held.examples, files: [...files, ...held.files] }
}

/** At most `limit` examples, spread over the sources as the whole is. */
export function firstOf(examples: readonly Example[], limit: number): Example[] {
  return examples.slice(0, limit)
}
