/** One ranked list taken apart: which number came from which, and what would have to be different for another result. */

import { sigmoid } from '../statistics/statistics.js'
import { beliefs, humanLabels, type LabelSource, type Scale } from './beliefs.js'
import { beliefPairs } from './pairs.js'
import type { LabelVerdict, RankedList } from './ranked.js'

/** The rules that made the list. */
export type ExplainRules =
  | {
      mode: 'default'
      scale: Scale
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
  /** Parts of the log-odds: the gap in units of T, and the human label's. In legacy there is no such sum. */
  fromReward: number
  fromLabel: number
  logit: number
  belief: number
  weight: number
  /** Why the weight is what it is. */
  reason: 'kept' | 'unsure' | 'tie' | 'contradicted' | 'gap below threshold'
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
  const labelLogit = rules.labelSource === 'reward' ? 0 : Math.log((1 - labelError) / labelError)
  return {
    ...common,
    labelLogit,
    pairs: defaultPairs(list, rules, labelLogit),
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

function defaultPairs(
  { example, rewards, pairs }: RankedList,
  { scale, labelSource, minConfidence }: Extract<ExplainRules, { mode: 'default' }>,
  labelLogit: number,
): ExplainedPair[] {
  const h = humanLabels(example)
  const byReward = labelSource !== 'human'
  return pairs.map(({ better, worse, distance, belief, weight }) => {
    const gap = rewards[better] - rewards[worse]
    const label = h[better][worse]
    const fromReward = byReward ? gap / scale.temperature : 0
    // A label that is never wrong has an infinite log-odds, and 0 times that is not 0.
    const fromLabel = label === 0 || labelSource === 'reward' ? 0 : label * labelLogit
    const contradicted = labelSource === 'agreement' && label * gap < 0
    const reason = weight > 0 ? 'kept' : contradicted ? 'contradicted' : belief <= 0.5 ? 'tie' : 'unsure'
    const turnsBelow = byReward ? withoutMinusZero(-fromLabel * scale.temperature) : undefined
    const needed = scale.temperature * (logit(minConfidence) - fromLabel)
    // Where label and reward have to agree, the gap must not speak against the label either: no gap keeps a pair that does.
    const agrees = labelSource !== 'agreement' || label >= 0
    const least = labelSource === 'agreement' && label > 0 ? Math.max(0, needed) : needed
    const keptFrom = byReward && agrees ? least : undefined
    const keptUpTo = belief
    const logitSum = fromReward + fromLabel
    return {
      ...{ better, worse, distance, gap, fromReward, fromLabel, logit: logitSum, belief, weight, reason },
      ...(keptFrom !== undefined && { keptFrom }),
      ...(turnsBelow !== undefined && { turnsBelow }),
      keptUpTo,
    }
  })
}

function legacyPairs({ rewards, pairs }: RankedList, threshold: number): ExplainedPair[] {
  return pairs.map(({ better, worse, distance, belief, weight }) => {
    const gap = rewards[better] - rewards[worse]
    const reason = weight > 0 ? 'kept' : 'gap below threshold'
    return {
      ...{ better, worse, distance, gap, fromReward: gap, fromLabel: 0, logit: gap, belief, weight, reason },
      ...{ keptFrom: threshold, turnsBelow: 0, keptUpTo: Math.abs(gap) },
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
  const q = beliefs(rewards, humanLabels(example), scale, labelSource)
  const made = beliefPairs(q, humanLabels(example), rewards, list.order, {
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

const logit = (p: number): number => Math.log(p / (1 - p))
const withoutMinusZero = (x: number): number => (x === 0 ? 0 : x)
