/** Which prompts train, which choose checkpoints, which are kept for the evaluation. */
import type { Options } from '../../config/options.js'
import { type Corpus, corpusOf, inParts } from '../../data/corpus.js'
import { partsByPrompt } from '../../data/split.js'
import type { DataFile } from '../../runs/run-manifest.js'
import { type Needs, required } from '../../session/needs.js'
import { type DataNeeds, loadData } from './load-data.js'
import { withRelabels } from './relabels.js'

export interface SplitData {
  /** The rows to train on first, then those of the other parts. */
  corpus: Corpus
  files: DataFile[]
}

/** `train` chooses checkpoints on a part of its own; `align` and `eval` have none and take the part kept for the evaluation. */
export type SplitUse = 'train' | 'align' | 'eval'

export type SplitNeeds = DataNeeds & Needs<'seed'>

/**
 * Reads train_dataset (and eval_dataset) and splits by prompt hash. The same fractions and seed always keep the same prompts
 * for the evaluation, whichever command asks; with an eval_dataset nothing of train_dataset is kept back for it.
 */
export async function loadSplits(
  session: SplitNeeds,
  minCandidates: 1 | 2,
  use: SplitUse,
): Promise<SplitData> {
  const { options } = session
  const read = await loadData(session, required(options, 'trainDataset'), minCandidates)
  const { files } = read
  const examples = use === 'eval' ? read.examples : await withRelabels(session, read.examples)
  const parts = partsByPrompt(examples, { fractions: fractionsOf(options, use), seed: options.seed })
  const own = { examples, parts }
  if (options.evalDataset === undefined) return { corpus: inParts(own), files }
  const held = await loadData(session, options.evalDataset, minCandidates)
  const all = heldOut(own, held.examples, use === 'train' ? 'dev' : 'test')
  return { corpus: inParts(all), files: [...files, ...held.files] }
}

/** Examples of an eval_dataset take the place of what was kept back for their part. */
function heldOut({ examples, parts }: Corpus, held: Corpus['examples'], part: 'dev' | 'test'): Corpus {
  const kept = parts.flatMap((p, row) => (p === part ? [] : [row]))
  const added = corpusOf(held, part)
  return {
    examples: [...kept.map((row) => examples[row]), ...added.examples],
    parts: [...kept.map((row) => parts[row]), ...added.parts],
  }
}

export function fractionsOf(
  options: Pick<Options, 'evalDataset' | 'testFraction' | 'devFraction'>,
  use: SplitUse,
): { train: number; dev: number; test: number } {
  const test = options.evalDataset === undefined ? options.testFraction : 0
  const dev = use === 'align' ? 0 : options.devFraction
  return { train: 1 - dev - test, dev, test }
}
