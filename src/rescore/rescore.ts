/** Raw scores to ranked lists: calibrate each fold on its labelled pairs, rank every list, audit the labels. */

import type { Example } from '../data/example.js'
import { usageError } from '../errors.js'
import { type AuditOptions, type AuditReport, auditReport } from './audit.js'
import { humanLabels, type Scale } from './beliefs.js'
import {
  type CalibrateOptions,
  calibrate,
  type FoldCalibration,
  PRIOR_LABEL_ERROR,
  requirePairs,
  UNSEEN,
} from './calibrate.js'
import { type LegacyOptions, legacyRank, type RankOptions, rankLists } from './rank.js'
import type { RankedList } from './ranked.js'

export type { FoldCalibration }

export interface RescoreInput {
  examples: readonly Example[]
  /** Raw rewards [examples][candidates]. */
  rewards: readonly number[][]
  /** Which scorer scored each example, or `UNSEEN`; absent when there is one scorer. */
  folds?: readonly number[]
  options: RescoreOptions
}

export interface RescoreOptions {
  rank: RankOptions
  calibrate?: CalibrateOptions
  audit?: AuditOptions
  /** The paper's rescoring instead: no calibration, a threshold on raw rewards. */
  legacy?: LegacyOptions
}

export interface Rescored {
  lists: RankedList[]
  calibrations: FoldCalibration[]
  audit: AuditReport
}

/**
 * Calibrates, ranks and audits. With several folds each has its own T and e, and r / T is what crosses folds.
 * @throws ClhaError (usage) when a fold cannot be calibrated, or rewards do not fit the examples
 * @example
 * ```ts
 * const example = { id: '1', prompt: '2 + 2?', candidates: [{ text: '4.' }, { text: '5.' }], preferences: [{ better: 0, worse: 1 }], source: 'mine', file: 'my.jsonl', row: 1 }
 * const { lists, audit } = rescoreLists({ examples: [example], rewards: [[1.5, -0.5]], options: { rank: rankDefaults, calibrate: { temperature: 1, labelError: 0.25 } } })
 * lists[0].order // [0, 1]
 * audit.total.labels.kept // 1
 * ```
 */
export function rescoreLists({ examples, rewards, folds, options }: RescoreInput): Rescored {
  if (folds && folds.length !== examples.length) {
    throw usageError(`${folds.length} fold numbers for ${examples.length} examples`)
  }
  if (options.legacy) {
    const lists = legacyRank(examples, rewards, options.legacy)
    const audit = auditReport(lists, [], { ...options.audit, threshold: options.legacy.threshold })
    return { lists, calibrations: [], audit }
  }
  const foldOf = (i: number) => folds?.[i] ?? 0
  const calibrations = calibrateFolds(examples, rewards, foldOf, options.calibrate ?? {})
  const byFold = new Map<number, Scale>(calibrations.map((c) => [c.fold, c]))
  const lists = rankLists(examples, rewards, options.rank, (i) => byFold.get(foldOf(i))!)
  return { lists, calibrations, audit: auditReport(lists, calibrations, options.audit) }
}

/**
 * Whether there will be labelled pairs enough to calibrate each fold on, looked at before anything is scored.
 * @throws ClhaError (usage) as `rescoreLists` will
 */
export function requireCalibratable(
  examples: readonly Example[],
  { calibrate: options = {}, legacy }: RescoreOptions,
  foldOf: (example: Example) => number = () => 0,
): void {
  if (legacy) return
  const pairs = new Map<number, number>()
  for (const example of examples) {
    const unknown = example.candidates.map(() => 0)
    const fold = foldOf(example)
    pairs.set(fold, (pairs.get(fold) ?? 0) + labelledGaps(example, unknown).length)
  }
  for (const [fold, n] of [...pairs].sort(([a], [b]) => a - b)) {
    requirePairs(n, { ...options, name: pairs.size > 1 ? `fold ${fold}` : options.name })
  }
}

/** One calibration per fold, in rising order of the fold. */
export function calibrateFolds(
  examples: readonly Example[],
  rewards: readonly number[][],
  foldOf: (i: number) => number,
  options: CalibrateOptions,
): FoldCalibration[] {
  const gaps = new Map<number, number[]>()
  for (const [i, example] of examples.entries()) {
    const list = gaps.get(foldOf(i)) ?? []
    for (const gap of labelledGaps(example, rewards[i] ?? [])) list.push(gap)
    gaps.set(foldOf(i), list)
  }
  const several = gaps.size > 1
  const scorers = [...gaps.keys()].filter((fold) => fold !== UNSEEN).sort((a, b) => a - b)
  const out = scorers.map((fold): FoldCalibration => {
    const name = several ? `fold ${fold}` : options.name
    return { fold, ...calibrate(gaps.get(fold)!, { ...options, name, seed: `${options.seed ?? 0}:${fold}` }) }
  })
  const unseen = gaps.get(UNSEEN)
  return unseen ? [unseenCalibration(unseen, out, options), ...out] : out
}

/** T = 1 by construction; e is the folds' mean, weighted by their pairs, or fitted where there is no other fold. */
function unseenCalibration(
  gaps: number[],
  folds: FoldCalibration[],
  options: CalibrateOptions,
): FoldCalibration {
  const common = { ...options, temperature: 1, name: 'the unseen prompts' }
  if (folds.length === 0) return { fold: UNSEEN, ...calibrate(gaps, common) }
  const pairs = folds.reduce((sum, fold) => sum + fold.pairs, 0)
  const labelError =
    pairs === 0
      ? (options.labelError ?? PRIOR_LABEL_ERROR)
      : folds.reduce((sum, fold) => sum + fold.labelError * fold.pairs, 0) / pairs
  return { fold: UNSEEN, ...calibrate(gaps, { ...common, labelError }) }
}

/** r_better - r_worse of each labelled pair; labels that cancel are none. */
export function labelledGaps(example: Example, rewards: readonly number[]): number[] {
  const h = humanLabels(example)
  const gaps: number[] = []
  for (let i = 0; i < h.length; i++) {
    for (let j = i + 1; j < h.length; j++) if (h[i][j] !== 0) gaps.push(h[i][j] * (rewards[i] - rewards[j]))
  }
  return gaps
}
