/** Raw scores to ranked lists: calibrate on the labelled pairs, rank every list, audit the labels. */

import type { Example } from '../data/example.js'
import { promptKey } from '../dialogue.js'
import { usageError } from '../errors.js'
import { type AuditOptions, type AuditReport, auditReport } from './audit.js'
import type { AskedSource, LabelSource, Scale, UncertainScale } from './beliefs.js'
import {
  type CalibrateOptions,
  calibrate,
  calibrateTogether,
  type FoldCalibration,
  requirePairs,
  UNSEEN,
} from './calibrate.js'
import { annotatorShifts, type Witnessed } from './noise/annotators.js'
import type { Evidence } from './noise/evidence.js'
import { mirroredNormals, noiseOfNormals } from './noise/mirrored-normals.js'
import { reversalLimit } from './noise/reversal.js'
import { checkRewards, type LegacyOptions, legacyRank, type RankOptions, rankLists } from './rank.js'
import type { RankedList } from './ranked.js'
import { combineScores } from './scorers/combine.js'
import type { Scores } from './scorers/mean-scores.js'
import { type PooledVotes, pairVotes, poolVotes } from './votes.js'

export interface RescoreInput {
  examples: readonly Example[]
  /** Raw rewards [examples][candidates]. */
  rewards: readonly number[][]
  /** Rewards by several scorers: then `rewards` is what is made of these. */
  scores?: readonly Scores[]
  /** Which scorer scored each example, or `UNSEEN`; absent when there is one scorer. */
  folds?: readonly number[]
  options: RescoreOptions
}

export interface RescoreOptions {
  rank: Omit<RankOptions, 'labelSource'> & { labelSource: AskedSource }
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
export function rescoreLists({ examples, scores, folds, options, ...told }: RescoreInput): Rescored {
  if (folds && folds.length !== examples.length) {
    throw usageError(`${folds.length} fold numbers for ${examples.length} examples`)
  }
  if (options.legacy) {
    const lists = legacyRank(examples, told.rewards, options.legacy)
    const audit = auditReport(lists, [], { ...options.audit, threshold: options.legacy.threshold })
    return { lists, calibrations: [], audit }
  }
  const foldOf = (i: number) => folds?.[i] ?? 0
  const votes = poolVotes(examples)
  const combined = scores && combineScores(examples, scores, votes, options.calibrate?.labelError)
  const { rewards } = combined ?? told
  checkRewards(examples, rewards)
  const judged = { examples, rewards, votes, foldOf }
  const given = options.rank.labelSource === 'perplexity' ? perplexityScale(judged) : options.calibrate
  const calibrations = calibrateFolds(judged, given ?? {})
  const byFold = new Map<number, UncertainScale>(calibrations.map((c) => [c.fold, c]))
  const rank: RankOptions = {
    ...options.rank,
    labelSource: sourceOf(options.rank.labelSource, calibrations),
    ...(options.rank.labelSource === 'auto' && { sftTarget: 'human' }),
  }
  const scale = (i: number) => byFold.get(foldOf(i))!
  const lists = rankLists(votes.examples, rewards, rank, scale)
  const audit = auditReport(lists, calibrations, {
    ...options.audit,
    evidence: { votes, scale },
    labelSource: rank.labelSource,
    scorers: combined?.scorers,
  })
  return { lists, calibrations, audit }
}

const sourceOf = (source: AskedSource, calibrations: readonly FoldCalibration[]): LabelSource => {
  if (source === 'perplexity') return 'posterior'
  if (source !== 'auto') return source
  return calibrations.every(({ determined }) => determined) ? 'posterior' : 'agreement'
}

/**
 * Whether there will be labelled pairs enough to calibrate each fold on, looked at before anything is scored.
 * @throws ClhaError (usage) as `rescoreLists` will; with `perplexity` for fewer than 200 prompts, too
 */
export function requireCalibratable(
  examples: readonly Example[],
  { rank, calibrate: options = {}, legacy }: RescoreOptions,
  foldOf: (example: Example) => number = () => 0,
): void {
  if (legacy) return
  const counts = new Map<number, { pairs: number; prompts: Set<string> }>()
  for (const example of examples) {
    const fold = foldOf(example)
    const count = counts.get(fold) ?? { pairs: 0, prompts: new Set<string>() }
    counts.set(fold, count)
    const pairs = pairVotes(example).length
    count.pairs += pairs
    if (pairs > 0) count.prompts.add(promptKey(example.prompt))
  }
  for (const [fold, { pairs, prompts }] of [...counts].sort(([a], [b]) => a - b)) {
    const name = counts.size > 1 ? `fold ${fold}` : options.name
    requirePairs({ pairs, prompts: prompts.size }, { ...options, name }, rank.labelSource === 'perplexity')
  }
}

/** Unit and error by two mirrored normals over the gaps of the labels: nothing is left to fit. */
function perplexityScale({ examples, rewards }: Judged): CalibrateOptions {
  const gaps = examples.flatMap(({ preferences }, i) =>
    preferences.map(({ better, worse }) => rewards[i][better] - rewards[i][worse]),
  )
  return noiseOfNormals(mirroredNormals(gaps))
}

interface Judged {
  examples: readonly Example[]
  rewards: readonly (readonly number[])[]
  votes: PooledVotes
  foldOf(i: number): number
}

/** One calibration per fold, in rising order of the fold: one e for all of them, the people being the same. */
export function calibrateFolds(data: Judged, options: CalibrateOptions): FoldCalibration[] {
  const folds = new Map<number, Witnesses>()
  for (const i of data.examples.keys()) {
    const fold = folds.get(data.foldOf(i)) ?? { witnessed: [], cluster: [] }
    folds.set(data.foldOf(i), fold)
    addWitnesses(fold, data, i)
  }
  const scorers = [...folds.keys()].filter((fold) => fold !== UNSEEN).sort((a, b) => a - b)
  const several = folds.size > 1
  const found = calibrateTogether(
    scorers.map((fold) => ({
      evidence: evidenceOf(folds.get(fold)!),
      name: several ? `fold ${fold}` : options.name,
    })),
    options,
  )
  const out = found.map((c, i): FoldCalibration => ({ fold: scorers[i], ...c }))
  const unseen = folds.get(UNSEEN)
  const all = unseen ? [unseenCalibration(evidenceOf(unseen), out, options), ...out] : out
  return withReversal(withAnnotators(all, folds), folds)
}

interface Witnesses {
  witnessed: Witnessed[]
  cluster: number[]
}

function addWitnesses(fold: Witnesses, { rewards, votes }: Judged, i: number): void {
  for (const [k, pair] of votes.byExample[i].entries()) {
    if (votes.repeated[i][k]) continue
    fold.witnessed.push({ votes: pair, gap: rewards[i][pair.first] - rewards[i][pair.second] })
    fold.cluster.push(votes.prompts[i])
  }
}

function evidenceOf({ witnessed, cluster }: Witnesses): Evidence {
  const column = (of: (one: Witnessed) => number) => Float64Array.from(witnessed, of)
  return {
    gap: column(({ gap }) => gap),
    up: column(({ votes }) => votes.up),
    down: column(({ votes }) => votes.down),
    weight: column(() => 1),
    cluster: Int32Array.from(cluster),
  }
}

/** T = 1 by construction; e is that of the folds, the lapse their mean; fitted where there is no other fold. */
function unseenCalibration(
  evidence: Evidence,
  folds: readonly FoldCalibration[],
  options: CalibrateOptions,
): FoldCalibration {
  const common = { ...options, temperature: 1, name: 'the unseen prompts' }
  if (folds.length === 0) return { fold: UNSEEN, ...calibrate(evidence, common) }
  const mean = (of: (c: FoldCalibration) => Scale): Scale & { lapse: number } => ({
    temperature: 1,
    labelError: folds.reduce((sum, c) => sum + of(c).labelError, 0) / folds.length,
    lapse: folds.reduce((sum, c) => sum + (of(c).lapse ?? 0), 0) / folds.length,
  })
  const scale = mean((c) => c)
  const plausible = folds[0].plausible.map((_, k) => mean((c) => c.plausible[k]))
  const possible = folds[0].possible.map((_, k) => mean((c) => c.possible[k]))
  const found = calibrate(evidence, { ...common, ...scale })
  const { labelErrorInterval, determined, votes } = folds[0]
  return {
    fold: UNSEEN,
    ...found,
    plausible,
    possible,
    determined,
    votes,
    ...(labelErrorInterval && { labelErrorInterval }),
  }
}

/** Adds each annotator's own error where several are named. */
function withAnnotators(
  calibrations: FoldCalibration[],
  folds: ReadonlyMap<number, Witnesses>,
): FoldCalibration[] {
  const parts = calibrations.map((c) => ({ pairs: folds.get(c.fold)!.witnessed, scale: c }))
  const annotators = annotatorShifts(parts, calibrations[0]?.labelError)
  if (!annotators) return calibrations
  const add = <T extends Scale>(scale: T): T => ({ ...scale, annotators })
  return calibrations.map((c) => ({
    ...add(c),
    plausible: c.plausible.map(add),
    possible: c.possible.map(add),
  }))
}

/** Of all labels, so many may be lost in expectation by reversing others, where second labels tell how often labels err. */
const RISK = 0.02

function withReversal(
  calibrations: FoldCalibration[],
  folds: ReadonlyMap<number, Witnesses>,
): FoldCalibration[] {
  const parts = calibrations.map((c) => ({
    pairs: folds.get(c.fold)!.witnessed,
    average: c,
    possible: c.possible,
  }))
  const risk = calibrations.some(({ votes }) => votes.pairs > 0) ? RISK : 0
  const reverseBelow = reversalLimit(parts, risk)
  return calibrations.map((c) => ({ ...c, reverseBelow }))
}
