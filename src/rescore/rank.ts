/** Scores and labels in, ranked lists out: the default mode by beliefs, the legacy mode by a threshold. */

import type { Example } from '../data/example.js'
import { majorities, type PairVotes } from '../data/pair-votes.js'
import { usageError } from '../errors.js'
import { sigmoid } from '../statistics/statistics.js'
import { cautiousBeliefs, type Scale, type UncertainScale } from './beliefs.js'
import { type GateOptions, sftGates } from './gate.js'
import { beliefPairs, isConfident, type PairOptions, places, thresholdPairs } from './pairs.js'
import type { LabelVerdict, RankedList } from './ranked.js'
import { type NetVotes, netVotes, pairVotes } from './votes.js'

export interface RankOptions extends PairOptions, GateOptions {
  /** Which examples count for the gate's quantile; all of them when absent. */
  training?: (i: number) => boolean
  /** Which answer SFT imitates: the best, or people's choice unless it is disbelieved; that with `agreement`. */
  sftTarget?: 'best' | 'human'
}

export interface LegacyOptions {
  /** A pair counts where its raw rewards differ by strictly more than this; 3 in the paper. */
  threshold: number
  /** `reward` sorts by falling reward; `given` takes the lists as they stand. */
  order: 'reward' | 'given'
  /** The SFT gate is open where the reward is strictly above this; 0 in the paper. */
  gateLevel: number
  /** Which candidate the SFT term keeps likely; the first of the order when absent. */
  sftIndex?: (i: number) => number
}

/** CLHA's default mode. */
export const rankDefaults: RankOptions = {
  labelSource: 'posterior',
  pairWeight: 'soft',
  minConfidence: 0.6,
  sftGate: 'soft',
  gateQuantile: 0.25,
}

export const legacyDefaults: LegacyOptions = { threshold: 3, order: 'reward', gateLevel: 0 }

/**
 * CLHA's default mode up to the loss: beliefs, order, pair weights, SFT gates and label verdicts.
 * @param rewards     raw rewards, one row per example, one number per candidate
 * @param calibration the scale of the scorer that scored example i
 * @throws ClhaError (usage) for rewards that do not fit their example, with file and row
 * @example
 * ```ts
 * const example = { id: '1', prompt: '2 + 2?', candidates: [{ text: '4.' }, { text: '5.' }], preferences: [{ better: 0, worse: 1 }], source: 'mine', file: 'my.jsonl', row: 1 }
 * const scale = { temperature: 1, labelError: 0.25 }
 * const [list] = rankLists([example], [[-2, 3.5]], rankDefaults, () => scale)
 * list.labels[0].verdict // 'reversed'
 * list.order // [1, 0]
 * ```
 */
export function rankLists(
  examples: readonly Example[],
  rewards: readonly number[][],
  options: RankOptions,
  calibration: (i: number) => UncertainScale,
): RankedList[] {
  checkRewards(examples, rewards)
  checkOptions(options)
  const lists = examples.map((example, i) => rankOne(example, rewards[i], options, calibration(i)))
  const gates = sftGates(
    lists.map((list, i) => ({
      source: list.example.source,
      reward: list.rewards[list.sft.index],
      temperature: calibration(i).temperature,
      training: options.training?.(i) ?? true,
    })),
    options,
  )
  for (const [i, list] of lists.entries()) list.sft.weight = gates[i]
  return lists
}

function rankOne(
  example: Example,
  rewards: number[],
  options: RankOptions,
  scale: UncertainScale,
): RankedList {
  for (const one of [scale, ...(scale.plausible ?? [])]) checkScale(example, one)
  const votes = pairVotes(example)
  const net = netVotes(rewards.length, votes)
  const q = cautiousBeliefs(rewards, votes, scale, options.labelSource)
  const order = orderByBelief(q, net)
  const pairs = beliefPairs(q, net, rewards, order, options)
  const labels = verdicts(votes, (better, worse) => q[better][worse], options.minConfidence)
  const { labelSource, sftTarget = labelSource === 'agreement' ? 'human' : 'best' } = options
  const index = sftTarget === 'human' ? humanTarget(order, net, q) : order[0]
  return { example, rewards, order, pairs, sft: { index, weight: 1 }, labels }
}

/** Below this belief a label no longer decides which answer is imitated. */
const DISBELIEVED = 0.2

/** The best of the order, unless people preferred another to it and are not disbelieved: then that one. */
function humanTarget(order: readonly number[], net: NetVotes, q: readonly number[][]): number {
  let best = order[0]
  const seen = new Set([best])
  for (;;) {
    const preferred = order.find((i) => !seen.has(i) && net[i][best] > 0 && q[i][best] >= DISBELIEVED)
    if (preferred === undefined) return best
    best = preferred
    seen.add(best)
  }
}

/** Candidates by falling mean belief; ties: the one more often preferred by humans, then the file's order. */
function orderByBelief(q: number[][], net: NetVotes): number[] {
  // Rounded, so that sums taken in another order still tie.
  const score = q.map((row, i) => {
    const sum = row.reduce((total, x, j) => (i === j ? total : total + x), 0)
    return row.length > 1 ? Math.round((sum / (row.length - 1)) * 1e12) / 1e12 : 0
  })
  return sortByScore(score, net)
}

function sortByScore(score: readonly number[], net: NetVotes): number[] {
  const wins = net.map((row) => row.reduce((sum, votes) => sum + Math.sign(votes), 0))
  return score.map((_, i) => i).sort((i, j) => score[j] - score[i] || wins[j] - wins[i] || i - j)
}

/** One verdict per labelled pair, in the order of the preferences; labels that cancel have none. */
function verdicts(
  votes: readonly PairVotes[],
  belief: (better: number, worse: number) => number,
  minConfidence: number,
): LabelVerdict[] {
  return majorities(votes).map(({ better, worse }) => {
    const right = belief(better, worse)
    const verdict = right < 0.5 ? 'reversed' : isConfident(right, minConfidence) ? 'kept' : 'doubtful'
    return { better, worse, verdict, belief: right }
  })
}

/**
 * The paper's rescoring: labels are replaced by the reward's order. Doubtful are the labels whose pair is left alone;
 * the belief in a label is Bradley-Terry's at temperature 1.
 * @throws ClhaError (usage) when lists differ in length, which the reference cannot hold
 */
export function legacyRank(
  examples: readonly Example[],
  rewards: readonly number[][],
  options: LegacyOptions = legacyDefaults,
): RankedList[] {
  checkRewards(examples, rewards)
  const n = rewards[0]?.length
  return examples.map((example, i) => {
    const r = rewards[i]
    if (r.length !== n) {
      throw usageError(
        `${example.file}:${example.row}: ${r.length} candidates, but ${examples[0].file}:${examples[0].row} has ${n}`,
        'The legacy mode needs lists of one length; the default mode takes any.',
      )
    }
    const votes = pairVotes(example)
    const order = options.order === 'given' ? r.map((_, k) => k) : sortByScore(r, netVotes(r.length, votes))
    const index = options.sftIndex?.(i) ?? order[0]
    const pairs = thresholdPairs(r, order, options.threshold)
    const labels = legacyVerdicts(votes, r, order, options.threshold)
    return {
      example,
      rewards: r,
      order,
      pairs,
      sft: { index, weight: Number(r[index] > options.gateLevel) },
      labels,
    }
  })
}

/** The order alone decides what is reversed. */
function legacyVerdicts(
  votes: readonly PairVotes[],
  r: readonly number[],
  order: readonly number[],
  threshold: number,
): LabelVerdict[] {
  const place = places(order)
  return verdicts(votes, (better, worse) => sigmoid(r[better] - r[worse]), 1).map((label) => {
    const { better, worse } = label
    if (place[better] > place[worse]) return { ...label, verdict: 'reversed' }
    return { ...label, verdict: Math.abs(r[better] - r[worse]) > threshold ? 'kept' : 'doubtful' }
  })
}

/** @throws ClhaError (usage) for rewards that do not fit their example, or are not finite, with file and row */
export function checkRewards(examples: readonly Example[], rewards: readonly number[][]): void {
  if (examples.length !== rewards.length) {
    throw usageError(`${rewards.length} rows of rewards for ${examples.length} examples`)
  }
  for (const [i, example] of examples.entries()) {
    const at = `${example.file}:${example.row}`
    if (example.candidates.length === 0) throw usageError(`${at}: no candidate to rank`)
    if (rewards[i].length !== example.candidates.length) {
      throw usageError(`${at}: ${rewards[i].length} rewards for ${example.candidates.length} candidates`)
    }
    const bad = rewards[i].findIndex((r) => !Number.isFinite(r))
    if (bad >= 0) {
      throw usageError(
        `${at}: the reward of candidate ${bad} is ${rewards[i][bad]}`,
        'Score this row again, or drop it.',
      )
    }
  }
}

function checkOptions(options: RankOptions): void {
  const { minConfidence, gateQuantile } = options
  if (!(minConfidence >= 0.5 && minConfidence <= 1)) {
    throw usageError(
      `min_confidence is ${minConfidence}`,
      'It is a probability between 0.5 (use every pair) and 1.',
    )
  }
  if (!(gateQuantile >= 0 && gateQuantile <= 1)) {
    throw usageError(`gate_quantile is ${gateQuantile}`, 'It is a share between 0 and 1.')
  }
}

function checkScale(example: Example, { temperature, labelError, lapse = 0 }: Scale): void {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw usageError(
      `${example.file}:${example.row}: the reward's temperature is ${temperature}`,
      '`temperature` must be above 0.',
    )
  }
  if (!(labelError >= 0 && labelError < 0.5)) {
    throw usageError(
      `${example.file}:${example.row}: label_error is ${labelError}`,
      '`label_error` must be in [0, 0.5).',
    )
  }
  if (!(lapse >= 0 && lapse < 0.5)) {
    throw usageError(`${example.file}:${example.row}: lapse is ${lapse}`, '`lapse` must be in [0, 0.5).')
  }
}
