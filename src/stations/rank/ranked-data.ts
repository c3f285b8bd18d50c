/** Ranked lists to train on and to choose checkpoints by: from a rescored file, or ranked here. */
import type { SectionOptions } from '../../config/options.js'
import { type Corpus, corpusOf, partOf, withoutPart } from '../../data/corpus.js'
import { type Part, partsByPrompt } from '../../data/split.js'
import { usageError } from '../../errors.js'
import { sha256File } from '../../files/digest.js'
import { requireFreeTargets } from '../../files/targets.js'
import { type MethodOptions, materialOf, needsRewards } from '../../methods/registry.js'
import { ASSUMED_LABEL_ERROR } from '../../rescore/calibrate.js'
import { isRankedFile } from '../../rescore/is-ranked-file.js'
import { rankDefaults, rankLists } from '../../rescore/rank.js'
import type { RankedList } from '../../rescore/ranked.js'
import { readRankedJsonl } from '../../rescore/ranked-jsonl.js'
import { requireCalibratable } from '../../rescore/rescore.js'
import type { DataFile } from '../../runs/run-manifest.js'
import { type Needs, required } from '../../session/needs.js'
import { dataRead } from '../read/data-read.js'
import { fractionsOf, loadSplits, type SplitNeeds } from '../read/splits.js'
import { dropKeptScores, keptScores } from '../score/kept-scores.js'
import { hasColumnScores, hasOutsideScorer, type OutsideNeeds, scoreCorpus } from '../score/scoring.js'
import { rescoredFile } from './rescored-file.js'
import { rescoreData, rescoreOptions, writeRescored } from './rescoring.js'

/** Examples with the list that each became. */
export interface RankedCorpus extends Corpus {
  lists: readonly RankedList[]
}

export interface RankedData {
  /** Of the parts train and dev. */
  corpus: RankedCorpus
  files: DataFile[]
  /** Writes the lists and their audit beside the run, where they were made here. */
  write?(): Promise<void>
}

type RankOptions = MethodOptions & SectionOptions<'rescore'>
type RankNeeds = SplitNeeds & OutsideNeeds & Needs<SectionOptions<'method' | 'rescore'>>

/** @throws ClhaError (exit 2) when neither the data nor a reward model has rewards */
export const loadRanked = async (session: RankNeeds): Promise<RankedData> => (await readRankable(session))()

/**
 * Reads the data, and looks at what has to be there before anything is loaded or scored.
 * @returns what scores and ranks it
 * @throws ClhaError (exit 2) when neither the data nor a reward model has rewards, or labels are too few to calibrate
 */
export async function readRankable(session: RankNeeds): Promise<() => Promise<RankedData>> {
  const { options } = session
  const paths = [required(options, 'trainDataset')].flat()
  if (paths.every(isRankedFile)) {
    const ranked = await readRanked(options, paths)
    return async () => ranked
  }
  const one = materialOf(options) === 'answer'
  const { corpus: all, files } = await loadSplits(session, one ? 1 : 2, 'train')
  const corpus = withoutPart(all, 'test')
  if (!needsRewards(options)) return async () => ({ corpus: plainlyRanked(options, corpus), files })
  requireGateRewards(options, corpus)
  // Rewards of the data are there or missing now; those of a model cost time.
  const known = hasOutsideScorer(options) ? undefined : await scoreCorpus(session, corpus)
  const byReward = one && options.labelSource === 'reward'
  if (!byReward) {
    const read = await dataRead(options, ['trainDataset', 'evalDataset', 'relabels'])
    requireFreeTargets([rescoredFile(options.outputDir)], read)
    requireCalibratable(corpus.examples, rescoreOptions(options))
  }
  return async () => {
    const scored = known ?? (await keptScores(session, corpus))
    if (byReward) return { corpus: plainlyRanked(options, scored), files }
    const rescored = rescoreData(session, scored)
    const write = async () => {
      await writeRescored(rescored, options.outputDir)
      dropKeptScores(options)
    }
    return { corpus: { ...scored, lists: rescored.lists }, files, write }
  }
}

/** @throws ClhaError (exit 2) where only the gate of the SFT term asks for rewards, and there are none */
function requireGateRewards(options: RankNeeds['options'], { examples }: Corpus): void {
  const { labelSource, sftGate, rewardColumn } = options
  if (labelSource !== 'human' || rewardColumn !== undefined) return
  if (hasOutsideScorer(options) || hasColumnScores(examples)) return
  throw usageError(
    `sft_gate: ${sftGate} weighs the SFT term by rewards, and the data has none`,
    'set sft_gate: off, give a reward_model, a reward_endpoint or a reward_function, or name the column with reward_column',
  )
}

/** Lists that labels alone or rewards alone order, so that nothing has to be calibrated. */
export function plainlyRanked(options: RankOptions, corpus: Corpus): RankedCorpus {
  const { labelSource, pairWeight, minConfidence, labelError = ASSUMED_LABEL_ERROR } = options
  const rules = { ...rankDefaults, pairWeight, minConfidence, sftGate: 'off' } as const
  const { examples, rewards = examples.map(({ candidates }) => candidates.map(() => 0)) } = corpus
  // No reward is asked for: whatever the source, labels are all there is.
  const source =
    needsRewards(options) && labelSource !== 'auto' && labelSource !== 'perplexity' ? labelSource : 'human'
  const scale = { temperature: 1, labelError }
  return { ...corpus, lists: rankLists(examples, rewards, { ...rules, labelSource: source }, () => scale) }
}

async function readRanked(options: SplitNeeds['options'], paths: readonly string[]): Promise<RankedData> {
  const { corpus, files } = await readLists(paths, options.maxSamples)
  const fractions = fractionsOf(options, 'train')
  const own = { ...corpus, parts: partsByPrompt(corpus.examples, { fractions, seed: options.seed }) }
  if (options.evalDataset === undefined) return { corpus: withoutPart(own, 'test'), files }
  const held = [options.evalDataset].flat()
  if (!held.every(isRankedFile)) {
    throw usageError(
      'train_dataset is rescored, eval_dataset is not',
      'rescore eval_dataset too, or leave it out: dev_fraction then holds out a part',
    )
  }
  const dev = await readLists(held, options.maxSamples)
  const lists = [...partOf(own, 'train').lists, ...dev.corpus.lists]
  const trained = lists.length - dev.corpus.lists.length
  const examples = lists.map(({ example }) => example)
  const parts = lists.map((_, row): Part => (row < trained ? 'train' : 'dev'))
  return { corpus: { examples, lists, parts }, files: [...files, ...dev.files] }
}

/** @param limit lists in all */
async function readLists(
  paths: readonly string[],
  limit = Number.POSITIVE_INFINITY,
): Promise<{ corpus: RankedCorpus; files: DataFile[] }> {
  const lists: RankedList[] = []
  const files: DataFile[] = []
  for (const path of paths) {
    const before = lists.length
    if (before >= limit) break
    for await (const list of readRankedJsonl(path)) if (lists.push(list) >= limit) break
    files.push({ path, sha256: await sha256File(path), rows: lists.length - before })
  }
  return { corpus: { ...corpusOf(lists.map(({ example }) => example)), lists }, files }
}
