/** The measures of evaluated systems, as `clha gate` reads them. */
import type { Estimate } from '../statistics/estimate.js'
import type { Measures } from './measures.js'
import type { GroupEval, RewardEval, SystemEval } from './system-summary.js'

/** @param judge name of the scorer whose measures stand without `@` */
export function measuresOfSystem({ total, sources }: SystemEval, judge: string | undefined): Measures {
  const scorers = Object.entries(total.rewards)
  return Object.fromEntries([
    ...scorers.flatMap(([name, own]) => named(rewardMeasures(own), name)),
    ...scorers.flatMap(([name, own]) => (name === judge ? Object.entries(rewardMeasures(own)) : [])),
    ...Object.entries(textMeasures(total)),
    ...Object.entries(sources).map(([name, { text }]) => [`refusal@${name}`, { value: text.refused }]),
  ])
}

const named = (measures: Measures, who: string): [string, Estimate][] =>
  Object.entries(measures).map(([name, value]) => [`${name}@${who}`, value])

function rewardMeasures(own: RewardEval): Measures {
  const { reward, sigmoid, versusBaseline, lengthControlled, lengthCorrelation } = own
  return {
    reward,
    sigmoid,
    ...(versusBaseline && {
      winrate: versusBaseline.winRate,
      'reward.difference': versusBaseline.difference,
    }),
    ...(lengthControlled && { winrate_lc: estimate(lengthControlled) }),
    'length.correlation': { value: lengthCorrelation },
  }
}

const estimate = ({ value, interval }: Estimate): Estimate => ({ value, ...(interval && { interval }) })

function textMeasures({ text, bleu, overlap }: GroupEval): Measures {
  const values: Record<string, number | undefined> = {
    distinct1: text.distinct1,
    distinct2: text.distinct2,
    repetition: text.repetition,
    empty: text.empty,
    refusal: text.refused,
    ended: text.truncated === undefined ? undefined : 1 - text.truncated,
    bleu_char: bleu?.charLegacy,
    bleu: bleu?.corpus.score,
    ...overlap,
  }
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, { value }]])),
  )
}

/** A system's lengths beside those of the baseline. @param length mean, in the unit of the report */
export const withLength = (
  measures: Measures,
  length: Estimate,
  baseline: Estimate | undefined,
): Measures => ({
  ...measures,
  length: estimate(length),
  ...(baseline?.value &&
    length.value !== null && { 'length.ratio': { value: length.value / baseline.value } }),
})
