/** The figures of a report by name, one estimate each: what `clha gate` sets conditions on. */
import type { Estimate } from '../statistics/estimate.js'

/**
 * Every measure that a report can have. `name@who` is the measure by one judge: a scorer's name, `people`, `judge`;
 * without it the one that the report concludes from.
 */
export const MEASURES = {
  winrate: 'share of prompts won against the baseline, a tie as half, 0 to 1',
  winrate_lc: 'the same at equal length of both answers',
  reward: 'mean reward, in the unit of the scorer',
  'reward.difference': 'mean reward minus that of the baseline, prompt by prompt',
  sigmoid: 'mean of the logistic of the reward, 0 to 1',
  both_bad: 'share of verdicts that neither answer is good, 0 to 1',
  errors: 'share of questions to the judge that got no verdict, 0 to 1',
  alpha: "Krippendorff's alpha of the raters, ordinal",
  'bias.position': 'share of pairs won by the first slot in both orders minus that of the second',
  consistent: 'share of pairs with the same verdict in both orders, 0 to 1',
  length: 'mean length of an answer, in the unit of the report',
  'length.ratio': 'mean length over that of the baseline',
  'length.correlation': 'correlation of reward and length over answers, -1 to 1',
  ended: 'share of answers that ended by themselves, 0 to 1',
  empty: 'share of answers without a word, 0 to 1',
  distinct1: 'different words over all words',
  distinct2: 'different word pairs over all word pairs',
  repetition: "share of an answer's word 4-grams that it said before",
  bleu_char: 'mean sentence BLEU over characters, 0 to 1',
  bleu: "corpus BLEU by sacreBLEU's standard, 0 to 100",
  chrf: "corpus chrF2 by sacreBLEU's standard, 0 to 100",
  rouge1: 'mean ROUGE-1 F1, 0 to 1',
  rouge2: 'mean ROUGE-2 F1, 0 to 1',
  rougeL: 'mean ROUGE-L F1, 0 to 1',
  refusal:
    'share of answers that refuse, by how they begin; refusal@<source> of the prompts of one source, 0 to 1',
  perplexity: 'of the answers under the first baseline, per token',
  kl: 'sampled KL divergence from the first baseline, nats an answer; of answers drawn at temperature 1',
  accuracy: 'share of labelled pairs that the reward puts right, 0 to 1',
  ece: 'expected calibration error, 0 to 1',
} as const satisfies Record<string, string>

export type MeasureName = keyof typeof MEASURES

/** By `name` or `name@who`. */
export type Measures = Record<string, Estimate>

/** What stands in a report for `clha gate`. */
export interface MeasuredSystems {
  /** The system that is asked about where nobody names one. */
  subject: string
  baseline?: string
  systems: Record<string, Measures>
}

/** The measure that a key of `Measures` is of; undefined for a key that is none. */
export function measureOf(key: string): MeasureName | undefined {
  const name = key.split('@')[0]
  return Object.hasOwn(MEASURES, name) ? (name as MeasureName) : undefined
}
