/** Everything a report says of one system, per source and in total, as plain JSON. */

import { usageError } from '../errors.js'
import { winOf } from '../statistics/agreement.js'
import { type Estimate, type MeanEstimate, withinShares } from '../statistics/estimate.js'
import { bootstrapMean } from '../statistics/intervals.js'
import { type LengthControlled, lengthControlled } from '../statistics/length-controlled.js'
import { mean, orNull, pearson, sigmoid } from '../statistics/statistics.js'
import { characters } from '../text/lengths.js'
import { type CorpusBleu, corpusBleu, legacyCharBleu } from './bleu.js'
import { corpusChrf } from './chrf.js'
import {
  type CompareOptions,
  type Comparison,
  compare,
  indicesBySource,
  type ScorerAgreement,
  scorerAgreement,
  TIE,
} from './compare.js'
import { type Rouge, rougeL, rougeN } from './rouge.js'
import { type TextStats, textStats } from './text-stats.js'

export interface SystemInput {
  /** Source of each prompt; all lists below go by the same order. */
  sources: readonly string[]
  answers: readonly string[]
  /** Raw rewards by scorer. */
  rewards: Readonly<Record<string, readonly number[]>>
  references?: readonly string[]
  /** Rewards by scorer of the system to compare with, on the same prompts. */
  baseline?: Readonly<Record<string, readonly number[]>>
  /** The baseline's answers: with them wins are also given at equal length. */
  baselineAnswers?: readonly string[]
  /** Whether each answer ended at the length limit. */
  truncated?: readonly boolean[]
  options?: CompareOptions
}

export interface RewardEval {
  reward: MeanEstimate
  /** Mean of the logistic of the reward: what the papers' tables show times 100. */
  sigmoid: Estimate
  versusBaseline?: Comparison
  /** Wins against the baseline at equal length, over all prompts. */
  lengthControlled?: LengthControlled
  /** Pearson's correlation of reward and characters over the answers; null where either does not vary. */
  lengthCorrelation: number | null
}

export interface GroupEval {
  count: number
  rewards: Record<string, RewardEval>
  bleu?: {
    /** Mean sentence BLEU over characters, 0 to 1. */
    charLegacy: number
    corpus: CorpusBleu
  }
  /** Overlap with the references: corpus chrF2, 0 to 100, and means of ROUGE's F1, 0 to 1. */
  overlap?: { chrf: number; rouge1: number; rouge2: number; rougeL: number }
  text: TextStats
}

export interface SystemEval {
  /** Over all prompts: each source weighs as much as it has prompts. */
  total: GroupEval
  sources: Record<string, GroupEval>
  /** Between each two scorers, over all answers. */
  scorers: { a: string; b: string; agreement: ScorerAgreement }[]
}

/**
 * Evaluates one system's answers.
 * @throws ClhaError (usage) when there is nothing to evaluate, lists differ in length, a reward is not finite or a
 * baseline lacks a scorer
 */
export function evaluateSystem(input: SystemInput): SystemEval {
  checkInput(input)
  const everything = input.sources.map((_, i) => i)
  const parts = [...indicesBySource(input.sources)].map(([source, indices]) => [
    source,
    evaluateGroup(input, indices),
  ])
  const names = Object.keys(input.rewards)
  return {
    total: withLengthControl(input, evaluateGroup(input, everything)),
    sources: Object.fromEntries(parts),
    scorers: names.flatMap((a, i) =>
      names
        .slice(i + 1)
        .map((b) => ({ a, b, agreement: scorerAgreement(input.rewards[a], input.rewards[b]) })),
    ),
  }
}

function evaluateGroup(input: SystemInput, indices: readonly number[]): GroupEval {
  const { answers, rewards, references, baseline, truncated, options } = input
  const part = <T>(values: readonly T[]): T[] => indices.map((i) => values[i])
  const texts = part(answers)
  const lengths = texts.map(characters)
  const scored = Object.entries(rewards).map(([scorer, all]): [string, RewardEval] => {
    const r = part(all)
    const reward = bootstrapMean(r, options)
    const squashed = withinShares(bootstrapMean(r.map(sigmoid), options))
    const versusBaseline = baseline && compare(r, part(baseline[scorer]), options)
    const lengthCorrelation = orNull(pearson(r, lengths))
    return [
      scorer,
      { reward, sigmoid: squashed, ...(versusBaseline && { versusBaseline }), lengthCorrelation },
    ]
  })
  return {
    count: indices.length,
    rewards: Object.fromEntries(scored),
    ...(references && { bleu: bleu(texts, part(references)), overlap: overlap(texts, part(references)) }),
    text: textStats(texts, truncated && part(truncated)),
  }
}

function bleu(answers: string[], references: string[]): NonNullable<GroupEval['bleu']> {
  const charLegacy = mean(answers.map((answer, i) => legacyCharBleu(answer, references[i])))
  return { charLegacy, corpus: corpusBleu(answers, references) }
}

function overlap(answers: readonly string[], references: readonly string[]): GroupEval['overlap'] {
  const rouge = (score: (answer: string, reference: string) => Rouge) =>
    mean(answers.map((answer, i) => score(answer, references[i]).f1))
  return {
    chrf: corpusChrf(answers, references),
    rouge1: rouge((answer, reference) => rougeN(answer, reference, 1)),
    rouge2: rouge((answer, reference) => rougeN(answer, reference, 2)),
    rougeL: rouge(rougeL),
  }
}

/** Each prompt is asked once: its place names it. */
function withLengthControl(input: SystemInput, group: GroupEval): GroupEval {
  const { answers, baselineAnswers, rewards, baseline, options } = input
  if (!baseline || !baselineAnswers) return group
  const longer = answers.map((answer, i) => characters(answer) - characters(baselineAnswers[i]))
  const scored = Object.entries(group.rewards).map(([scorer, own]): [string, RewardEval] => {
    const rows = longer.map((length, i) => {
      const gap = rewards[scorer][i] - baseline[scorer][i]
      return { prompt: String(i), score: winOf(gap, options?.tie ?? TIE), longer: length }
    })
    const controlled = lengthControlled(rows, options)
    return [scorer, { ...own, ...(controlled && { lengthControlled: controlled }) }]
  })
  return { ...group, rewards: Object.fromEntries(scored) }
}

function checkInput({ sources, answers, rewards, references, baseline, truncated }: SystemInput): void {
  if (answers.length === 0)
    throw usageError('evaluation: there are no answers', 'Check the evaluation file and its filters.')
  const lists: [string, ArrayLike<unknown> | undefined][] = [
    ['sources', sources],
    ['references', references],
    ['truncated', truncated],
    ...Object.entries(rewards).map(([name, r]): [string, readonly number[]] => [`rewards of ${name}`, r]),
  ]
  for (const scorer of Object.keys(baseline ? rewards : {})) {
    if (!baseline?.[scorer])
      throw usageError(
        `evaluation: the baseline has no rewards of ${scorer}`,
        'Score both systems with the same scorers.',
      )
    lists.push([`baseline rewards of ${scorer}`, baseline[scorer]])
  }
  for (const [name, list] of lists) {
    if (list && list.length !== answers.length)
      throw usageError(`evaluation: ${list.length} ${name} for ${answers.length} answers`)
  }
  for (const [name, values] of [...Object.entries(rewards), ...Object.entries(baseline ?? {})]) {
    const bad = values.findIndex((r) => !Number.isFinite(r))
    if (bad >= 0) throw usageError(`evaluation: reward ${bad + 1} of ${name} is ${values[bad]}`)
  }
}
