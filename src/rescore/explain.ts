/** One ranked list taken apart: which number came from which, and what would have to be different for another result. */

import type { PairVotes } from '../data/pair-votes.js'
import { logit, sigmoid } from '../statistics/statistics.js'
import {
  cautiousBeliefs,
  gapOfLogit,
  type LabelSource,
  logitOfLabel,
  rewardLogit,
  type Scale,
  type UncertainScale,
  votesLogit,
} from './beliefs.js'
import { beliefPairs } from './pairs.js'
import type { LabelVerdict, RankedList } from './ranked.js'
import { netVotes, pairVotes } from './votes.js'

/** The rules that made the list. */
export type ExplainRules =
  | {
      mode: 'default'
      scale: UncertainScale
      labelSource: LabelSource
      pairWeight: 'soft' | 'hard'
      minConfidence: number
      sftGate: 'soft' | 'hard' | 'off'
      /** In the reward's unit; undefined where nobody knows it. */
      level?: number
    }
  | { mode: 'legacy'; threshold: number; level: number }

export interface ExplainedPair {
  better: number
  worse: number
  distance: number
  /** r_better - r_worse. */
  gap: number
  /**
   * Parts of the log-odds: the reward's, and the human label's. Of several plausible scales, by that which decides: whose
   * belief is nearest to 1/2. In legacy there is no such sum.
   */
  fromReward: number
  fromLabel: number
  logit: number
  belief: number
  weight: number
  /** Why the weight is what it is. */
  reason: 'kept' | 'unsure' | 'tie' | 'undecided' | 'contradicted' | 'gap below threshold'
  /** The scale that decides. */
  scale?: Scale
  /** Reward gap from which the pair is kept (legacy: above which); undefined where the reward does not decide. */
  keptFrom?: number
  /** Reward gap below which the pair stands the other way round. */
  turnsBelow?: number
  /** A `min_confidence` (legacy: `reward_threshold`) up to which this pair is kept. */
  keptUpTo: number
}

export interface ExplainedGate {
  index: number
  reward: number
  level?: number
  /** (r - level) / T; legacy: r - level. */
  above?: number
  weight: number
}

export interface Explained {
  rewards: readonly number[]
  /** Mean belief over the other answers; what the order goes by in the default mode. */
  meanBeliefs?: number[]
  order: readonly number[]
  /** ln((1 - e) / e), where labels count. */
  labelLogit: number
  pairs: ExplainedPair[]
  gate: ExplainedGate
  labels: readonly LabelVerdict[]
}

/** Takes a list apart; the list itself is not ranked again. */
export function explainList(list: RankedList, rules: ExplainRules): Explained {
  const { rewards, order, sft, labels } = list
  const common = { rewards, order, labels }
  if (rules.mode === 'legacy') {
    const { reward, above } = { reward: rewards[sft.index], above: rewards[sft.index] - rules.level }
    const gate = { index: sft.index, reward, level: rules.level, above, weight: sft.weight }
    return { ...common, labelLogit: 0, pairs: legacyPairs(list, rules.threshold), gate }
  }
  const { temperature, labelError } = rules.scale
  const labelLogit = rules.labelSource === 'reward' ? 0 : logitOfLabel(labelError)
  return {
    ...common,
    labelLogit,
    pairs: defaultPairs(list, rules),
    meanBeliefs: meanBeliefs(list),
    gate: {
      index: sft.index,
      reward: rewards[sft.index],
      level: rules.level,
      above: rules.level === undefined ? undefined : (rewards[sft.index] - rules.level) / temperature,
      weight: sft.weight,
    },
  }
}

type DefaultRules = Extract<ExplainRules, { mode: 'default' }>

function defaultPairs({ example, rewards, pairs }: RankedList, rules: DefaultRules): ExplainedPair[] {
  const { scale, labelSource } = rules
  const votes = pairVotes(example)
  const net = netVotes(rewards.length, votes)
  return pairs.map(({ better, worse, distance, belief, weight }) => {
    const gap = rewards[better] - rewards[worse]
    const label = Math.sign(net[better][worse])
    const pair = votes.find(
      (v) => v.first === Math.min(better, worse) && v.second === Math.max(better, worse),
    )
    const evidence = (scale.plausible ?? [scale]).map((one) =>
      evidenceUnder(one, { gap, pair, better }, labelSource),
    )
    const averaged = (scale.averaged ?? [{ ...scale, weight: 1 }]).map((one) => ({
      ...evidenceUnder({ ...one, annotators: scale.annotators }, { gap, pair, better }, labelSource),
      weight: one.weight,
    }))
    const deciding = evidence.reduce((a, b) => (Math.abs(b.logit) < Math.abs(a.logit) ? b : a))
    const contradicted = labelSource === 'agreement' && label * gap < 0
    const split = evidence.some((one) => one.logit * deciding.logit < 0)
    const unsure = split ? 'undecided' : belief <= 0.5 ? 'tie' : 'unsure'
    const reason = weight > 0 ? 'kept' : contradicted ? 'contradicted' : unsure
    const { needed, turnsBelow } = gapsThatDecide(evidence, averaged, rules, label)
    return {
      better,
      worse,
      distance,
      gap,
      belief,
      weight,
      reason,
      ...deciding,
      ...(needed !== undefined && { keptFrom: needed }),
      ...(turnsBelow !== undefined && { turnsBelow }),
      keptUpTo: belief,
    }
  })
}

interface Evidenced {
  scale: Scale
  fromReward: number
  fromLabel: number
  logit: number
}

function evidenceUnder(
  scale: Scale,
  { gap, pair, better }: { gap: number; pair: PairVotes | undefined; better: number },
  labelSource: LabelSource,
): Evidenced {
  const fromReward = labelSource === 'human' ? 0 : rewardLogit(gap, scale)
  const counts = pair !== undefined && labelSource !== 'reward'
  const fromLabel = counts ? (better === pair.first ? 1 : -1) * votesLogit(pair, scale) : 0
  return { scale, fromReward, fromLabel: withoutMinusZero(fromLabel), logit: fromReward + fromLabel }
}

type Weighed = Evidenced & { weight: number }

/** The gap at which the average belief has these log-odds; by bisection where there is more than one scale. */
function gapOfAverage(target: number, averaged: readonly Weighed[]): number {
  const gaps = averaged.map(({ fromLabel, scale }) => gapOfLogit(target - fromLabel, scale))
  let [low, high] = [Math.min(...gaps), Math.max(...gaps)]
  const belief = (gap: number) =>
    averaged.reduce(
      (sum, { weight, fromLabel, scale }) => sum + weight * sigmoid(rewardLogit(gap, scale) + fromLabel),
      0,
    )
  const widest = 1e3 * Math.max(...averaged.map(({ scale }) => scale.temperature))
  if (low === Number.NEGATIVE_INFINITY) low = -widest
  if (high === Number.POSITIVE_INFINITY) high = widest
  for (let step = 0; step < 200 && high - low > 1e-12 * Math.abs(high); step++) {
    const middle = (low + high) / 2
    if (belief(middle) < sigmoid(target)) low = middle
    else high = middle
  }
  return Math.abs(high) >= widest * (1 - 1e-9) ? Number.POSITIVE_INFINITY : high
}

/** The gap from which every plausible scale keeps a pair, and that below which the average turns it round. */
function gapsThatDecide(
  evidence: readonly Evidenced[],
  averaged: readonly Weighed[],
  { labelSource, minConfidence, scale: { reverseBelow = 0.5 } }: DefaultRules,
  label: number,
): { needed?: number; turnsBelow?: number } {
  if (labelSource === 'human') return {}
  const limit = label === 0 ? 0.5 : label > 0 ? reverseBelow : 1 - reverseBelow
  const turns = gapOfAverage(logit(limit), averaged)
  const kept = Math.max(
    ...evidence.map(({ fromLabel, scale }) => gapOfLogit(logit(minConfidence) - fromLabel, scale)),
  )
  // Where label and reward have to agree, the gap must not speak against the label either: no gap keeps a pair that does.
  const agrees = labelSource !== 'agreement' || label >= 0
  const least = labelSource === 'agreement' && label > 0 ? Math.max(0, kept) : kept
  return {
    ...(agrees && Number.isFinite(least) && { needed: least }),
    ...(Number.isFinite(turns) && { turnsBelow: withoutMinusZero(turns) }),
  }
}

function legacyPairs({ rewards, pairs }: RankedList, threshold: number): ExplainedPair[] {
  return pairs.map(({ better, worse, distance, belief, weight }) => {
    const gap = rewards[better] - rewards[worse]
    const reason = weight > 0 ? 'kept' : 'gap below threshold'
    return {
      better,
      worse,
      distance,
      gap,
      fromReward: gap,
      fromLabel: 0,
      logit: gap,
      belief,
      weight,
      reason,
      keptFrom: threshold,
      turnsBelow: 0,
      keptUpTo: Math.abs(gap),
    }
  })
}

function meanBeliefs({ rewards, pairs }: RankedList): number[] {
  const sums = rewards.map(() => 0)
  for (const { better, worse, belief } of pairs) {
    sums[better] += belief
    sums[worse] += 1 - belief
  }
  return sums.map((sum) => (rewards.length > 1 ? sum / (rewards.length - 1) : 0.5))
}

/** Whether these rules made the list: its beliefs and its weights. */
export function fitsList(list: RankedList, rules: ExplainRules): boolean {
  const { example, rewards, pairs } = list
  if (rules.mode === 'legacy') {
    return pairs.every(({ better, worse, belief, weight }) => {
      const gap = rewards[better] - rewards[worse]
      return close(sigmoid(gap), belief) && weight === Number(gap > rules.threshold)
    })
  }
  const { scale, labelSource, pairWeight, minConfidence } = rules
  const votes = pairVotes(example)
  const q = cautiousBeliefs(rewards, votes, scale, labelSource)
  const made = beliefPairs(q, netVotes(rewards.length, votes), rewards, list.order, {
    labelSource,
    pairWeight,
    minConfidence,
  })
  return made.every(({ better, worse, belief, weight }, i) => {
    const same = pairs[i]?.better === better && pairs[i].worse === worse
    return same && close(belief, pairs[i].belief) && close(weight, pairs[i].weight)
  })
}

const close = (a: number, b: number): boolean => Math.abs(a - b) < 1e-9

/** The gate's level that a soft gate tells of itself; undefined where it is too far open or shut to tell. */
export function levelOfGate({ rewards, sft }: RankedList, temperature: number): number | undefined {
  if (sft.weight < 1e-9 || sft.weight > 1 - 1e-9) return undefined
  return rewards[sft.index] - temperature * logit(sft.weight)
}

const withoutMinusZero = (x: number): number => (x === 0 ? 0 : x)
