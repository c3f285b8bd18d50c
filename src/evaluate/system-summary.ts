/** Everything a report says of one system, per source and in total, as plain JSON. */

import { usageError } from '../errors.js'
import type { Measured } from '../statistics/estimate.js'
import { bootstrapMean } from '../statistics/intervals.js'
import { mean, sigmoid } from '../statistics/statistics.js'
import { type CorpusBleu, corpusBleu, legacyCharBleu } from './bleu.js'
import {
  type CompareOptions,
  type Comparison,
  compare,
  indicesBySource,
  type ScorerAgreement,
  scorerAgreement,
} from './compare.js'
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
  /** Whether each answer ended at the length limit. */
  truncated?: readonly boolean[]
  options?: CompareOptions
}

export interface RewardEval {
  reward: Measured
  /** Mean of the logistic of the reward: what the papers' tables show times 100. */
  sigmoid: Measured
  versusBaseline?: Comparison
}

export interface GroupEval {
  count: number
  rewards: Record<string, RewardEval>
  bleu?: {
    /** Mean sentence BLEU over characters, 0 to 1. */
    charLegacy: number
    corpus: CorpusBleu
  }
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
    total: evaluateGroup(input, everything),
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
  const scored = Object.entries(rewards).map(([scorer, all]): [string, RewardEval] => {
    const r = part(all)
    const reward = bootstrapMean(r, options)
    const squashed = bootstrapMean(r.map(sigmoid), options)
    const versusBaseline = baseline && compare(r, part(baseline[scorer]), options)
    return [scorer, { reward, sigmoid: squashed, ...(versusBaseline && { versusBaseline }) }]
  })
  const texts = part(answers)
  return {
    count: indices.length,
    rewards: Object.fromEntries(scored),
    ...(references && { bleu: bleu(texts, part(references)) }),
    text: textStats(texts, truncated && part(truncated)),
  }
}

function bleu(answers: string[], references: string[]): NonNullable<GroupEval['bleu']> {
  const charLegacy = mean(answers.map((answer, i) => legacyCharBleu(answer, references[i])))
  return { charLegacy, corpus: corpusBleu(answers, references) }
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
