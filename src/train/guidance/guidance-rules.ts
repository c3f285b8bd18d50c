/** What goes wrong in alignment, by the metric that shows it: thresholds, words and advice. docs/guidance.md explains them. */
import { wholePercent as percent } from '../../show/units.js'
import { fixedShiftOf, recent, type Series, type Shift, shiftOf } from './guidance-series.js'

export const CAUSES = [
  'displacement',
  'length',
  'repetition',
  'entropy',
  'saturated',
  'no_pairs',
  'gate_shut',
  'kl',
  'over_optimisation',
] as const
export type Cause = (typeof CAUSES)[number]

/** Settings that advice names with their values. */
export interface GuideSettings {
  learningRate: number
  sftWeight: number
  /** Whether a gate weighs the SFT term. */
  gated: boolean
  margin: number
  minConfidence: number
  maxNewTokens: number
}

export const LIMITS = {
  /** Share of its start that the log-probability of the chosen answers may lose. */
  displacement: 0.05,
  /** Share by which answers may grow; by less than `lengthTokens` tokens they may always. */
  length: 0.5,
  lengthTokens: 5,
  /** Growth of the share of repeated word 4-grams. */
  repetition: 0.1,
  /** Share of the start's entropy that may be lost. */
  entropy: 0.5,
  /** Share of pairs beyond the margin. */
  saturated: 0.95,
  /** Share of pairs that have a weight. */
  noPairs: 0.01,
  /** Mean gate. */
  gateShut: 0.02,
  /** Nats per token. */
  kl: 0.5,
  /** Held-out accuracy lost since its best. */
  accuracy: 0.02,
} as const

/** What a rule sees now. `level` is 1 at the threshold, more beyond it. */
export interface Finding {
  level: number
  metric: string
  value: number
  text: string
  advice: string
}

export type GuideRule = (series: Series, settings: GuideSettings) => Finding | undefined

const n = (x: number): string =>
  Number.isInteger(x) ? String(x) : Math.abs(x) < 1e-3 ? x.toExponential(2) : x.toPrecision(3)

/** How far a shift goes, as a multiple of what is allowed; noise is always allowed. */
const levelOf = (change: number, allowed: number, { noise }: Shift): number =>
  change / Math.max(allowed, noise, Number.MIN_VALUE)

/** Held-out lists where they are evaluated, else the training's own, which are noisier. */
function displacement(series: Series, { sftWeight, learningRate }: GuideSettings): Finding | undefined {
  const held = series.values('eval_logps/chosen')
  const metric = held.length > 1 ? 'eval_logps/chosen' : 'logps/chosen'
  const shift = held.length > 1 ? fixedShiftOf(held) : shiftOf(series.values(metric))
  if (!shift) return undefined
  return {
    level: levelOf(shift.from - shift.to, LIMITS.displacement * Math.abs(shift.from), shift),
    metric,
    value: shift.to,
    text: `chosen answers are getting less likely (${metric} ${n(shift.to)}, started at ${n(shift.from)})`,
    advice: `usual cure: a larger sft_weight (now ${n(sftWeight)}), or a lower learning_rate (now ${n(learningRate)})`,
  }
}

function length(series: Series, { maxNewTokens }: GuideSettings): Finding | undefined {
  const metric = 'eval_generated/length'
  const shift = fixedShiftOf(series.values(metric))
  if (!shift) return undefined
  const allowed = Math.max(LIMITS.length * shift.from, LIMITS.lengthTokens)
  return {
    level: levelOf(shift.to - shift.from, allowed, shift),
    metric,
    value: shift.to,
    text: `answers are growing longer (${n(shift.to)} tokens, started at ${n(shift.from)}; max_new_tokens is ${maxNewTokens})`,
    advice: 'the reward may like length: see the audit; stop earlier, or compare at equal length',
  }
}

function repetition(series: Series, { learningRate }: GuideSettings): Finding | undefined {
  const metric = 'eval_generated/repetition'
  const shift = fixedShiftOf(series.values(metric))
  if (!shift) return undefined
  return {
    level: levelOf(shift.to - shift.from, LIMITS.repetition, shift),
    metric,
    value: shift.to,
    text: `answers repeat themselves (${percent(shift.to)} of their word 4-grams, started at ${percent(shift.from)})`,
    advice: `go back to an earlier checkpoint; lower the learning_rate (now ${n(learningRate)}) or raise sft_weight`,
  }
}

function entropy(series: Series, { learningRate }: GuideSettings): Finding | undefined {
  const metric = 'eval_generated/entropy'
  const shift = fixedShiftOf(series.values(metric))
  if (!shift || shift.from <= 0) return undefined
  return {
    level: levelOf(shift.from - shift.to, LIMITS.entropy * shift.from, shift),
    metric,
    value: shift.to,
    text: `the model grows certain of every token (entropy ${n(shift.to)} nats, started at ${n(shift.from)})`,
    advice: `samples will all be alike: stop earlier, or lower the learning_rate (now ${n(learningRate)})`,
  }
}

function saturated(series: Series, { margin }: GuideSettings): Finding | undefined {
  const metric = 'pairs/saturated'
  const share = recent(series.values(metric))
  if (share === undefined) return undefined
  return {
    level: share / LIMITS.saturated,
    metric,
    value: share,
    text: `${percent(share)} of the contrasted pairs are beyond the margin: the contrast has nothing left to teach`,
    advice: `stop here, bring harder pairs (rounds, clha augment), or raise the margin (now ${n(margin)})`,
  }
}

function noPairs(series: Series, { minConfidence }: GuideSettings): Finding | undefined {
  const metric = 'pairs/active'
  // A step in which nothing counts leaves no trace but its number: such rows have a learning rate and no loss.
  const skipped = series.values('skipped_steps')
  const idle = series.inLast('skipped_steps') && series.inLast('learning_rate') && !series.inLast('loss')
  const share = recent(series.values(metric))
  if (share === undefined && !idle) return undefined
  const value = idle ? 0 : (share as number)
  return {
    level: LIMITS.noPairs / Math.max(value, LIMITS.noPairs / 10),
    metric: idle ? 'skipped_steps' : metric,
    value: idle ? (skipped.at(-1) as number) : value,
    text: `hardly any pair is contrasted (${percent(value)} of them)`,
    advice: `lower min_confidence (now ${n(minConfidence)}; legacy: reward_threshold), or bring a reward model that tells answers apart`,
  }
}

function gateShut(series: Series, { sftWeight, gated }: GuideSettings): Finding | undefined {
  const metric = 'sft_gate/mean'
  const gate = recent(series.values(metric))
  if (gate === undefined || sftWeight === 0 || !gated) return undefined
  return {
    level: LIMITS.gateShut / Math.max(gate, LIMITS.gateShut / 10),
    metric,
    value: gate,
    text: `the SFT gate is shut (mean ${n(gate)}): nothing keeps good answers likely`,
    advice: 'lower gate_quantile or gate_level, or set sft_gate: off',
  }
}

function kl(series: Series, { learningRate }: GuideSettings): Finding | undefined {
  const metric = 'eval_generated/kl'
  const value = series.values(metric).at(-1)
  if (value === undefined) return undefined
  return {
    level: value / LIMITS.kl,
    metric,
    value,
    text: `the model is far from its start (KL ${n(value)} nats per token)`,
    advice: `rewards say less out here: stop earlier, or lower the learning_rate (now ${n(learningRate)})`,
  }
}

/** Reward of the generated answers, else the margin of the implicit reward on held-out lists. */
function overOptimisation(series: Series): Finding | undefined {
  const accuracy = series.values('eval_rewards/accuracies')
  const generated = series.values('eval_generated/reward')
  const name = generated.length > 1 ? 'eval_generated/reward' : 'eval_rewards/margins'
  const reward = series.values(name)
  if (accuracy.length < 2 || reward.length < 2) return undefined
  const best = accuracy.indexOf(Math.max(...accuracy))
  const lost = accuracy[best] - accuracy[accuracy.length - 1]
  // The two need not be taken at the same steps: the reward is compared at the same part of the way.
  const then =
    reward[Math.min(reward.length - 1, Math.round((best / (accuracy.length - 1)) * (reward.length - 1)))]
  const now = reward[reward.length - 1]
  return {
    level: now > then ? lost / LIMITS.accuracy : 0,
    metric: 'eval_rewards/accuracies',
    value: accuracy[accuracy.length - 1],
    text: `the reward rises (${name} ${n(then)} → ${n(now)}) while held-out accuracy falls (${percent(accuracy[best])} → ${percent(accuracy[accuracy.length - 1])})`,
    advice:
      'it is being over-optimised: take the checkpoint of the best accuracy (metric_for_best_model: eval_rewards/accuracies)',
  }
}

export const GUIDE_RULES: Record<Cause, GuideRule> = {
  displacement,
  length,
  repetition,
  entropy,
  saturated,
  no_pairs: noPairs,
  gate_shut: gateShut,
  kl,
  over_optimisation: overOptimisation,
}
