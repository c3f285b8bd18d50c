/** Is it better? What each judge says of each system, and what a reader may conclude. */
import type { MeasuredSystems } from '../../evaluate/measures.js'
import { percentInterval } from '../../show/numbers.js'
import { amount, wholePercent } from '../../show/units.js'
import type { Estimate } from '../../statistics/estimate.js'
import { groupBy } from '../../statistics/group-by.js'
import { FEW_RATERS } from './verdict-words.js'

/** One judge on one system against the baseline. */
export interface Judgement {
  system: string
  baseline: string
  /** `people`, `the judge`, or a scorer. */
  who: string
  winRate: Estimate
  /** At equal length of both answers. */
  lengthControlled?: Estimate
  prompts: number
  /** People or judges; left out for a scorer. */
  raters?: number
  /** Trainings with other seeds that this is the mean over; the interval is then over them. */
  seeds?: number
}

export type Conclusion = 'better' | 'worse' | 'no difference shown'

/** By the whole interval of the win rate: above one half, below it, or around it. */
export function conclusionOf({ interval }: Estimate): Conclusion {
  if (!interval) return 'no difference shown'
  if (interval[0] > 0.5) return 'better'
  return interval[1] < 0.5 ? 'worse' : 'no difference shown'
}

export interface Headline {
  /** One sentence: is it better? */
  answer: string
  /** By how much, how sure, and what speaks against it. */
  lines: string[]
}

/**
 * What a report says first of a system.
 * @param judgements of this system, the most trusted judge first
 * @param lengthRatio mean length over that of the baseline
 */
export function headlineOf(judgements: readonly Judgement[], lengthRatio?: number | null): Headline {
  const [first, ...others] = judgements
  const { system, baseline, who, winRate, prompts, raters, seeds } = first
  const found = conclusionOf(winRate)
  const answer = {
    better: `${system} is better than ${baseline}.`,
    worse: `${system} is worse than ${baseline}.`,
    'no difference shown': `No difference between ${system} and ${baseline} is shown.`,
  }[found]
  const by = raters === undefined ? who : `${who} (${amount(raters, 'rater')})`
  const size = `By ${by} ${system} wins ${wholePercent(winRate.value ?? 0)} against ${baseline}, on ${amount(prompts, 'prompt')}${seeds === undefined ? '' : `, mean over ${amount(seeds, 'seed')}`}; 50 % would be a draw.`
  return {
    answer,
    lines: [
      size,
      sureness(first, found),
      ...lengthLine(first, lengthRatio),
      ...others.map((other) => disagreement(other, found)),
      ...(who === 'people' ? fewRaters(raters) : []),
    ],
  }
}

function sureness({ winRate: { interval }, raters, prompts, seeds }: Judgement, found: Conclusion): string {
  if (!interval) return 'One prompt is no evidence: there is no interval.'
  const text = `The 95 % interval of that share is ${interval.map((end) => wholePercent(end)).join(' to ')}`
  if (found === 'no difference shown') {
    const width = interval[1] - interval[0]
    const fewRaters = raters !== undefined && raters > 1 && raters < prompts
    const more = seeds !== undefined ? 'seeds' : fewRaters ? 'raters' : 'prompts'
    const advice = width > 0.1 ? `: too wide to tell. More ${more} narrow it.` : ': the two are close.'
    return `${text}${advice}`
  }
  return `${text}: all of it on one side of 50 %, so chance alone does not explain it.`
}

const ALWAYS = 'One side is longer throughout, so nothing can be said of equal length.'

function lengthLine({ lengthControlled, winRate, system }: Judgement, ratio?: number | null): string[] {
  const longer =
    ratio === undefined || ratio === null || Math.abs(ratio - 1) < 0.1
      ? ''
      : `Its answers are ${wholePercent(Math.abs(ratio - 1))} ${ratio > 1 ? 'longer' : 'shorter'}. `
  if (!lengthControlled || lengthControlled.value === null) return longer === '' ? [] : [`${longer}${ALWAYS}`]
  const moved = Math.abs(lengthControlled.value - (winRate.value ?? 0)) > 0.1
  if (longer === '' && !moved) return []
  const same = conclusionOf(lengthControlled) === conclusionOf(winRate)
  const rate = `At equal length ${system} would win ${wholePercent(lengthControlled.value)}${percentInterval(lengthControlled.interval)}`
  return [`${longer}${rate}${same ? '.' : `: ${conclusionOf(lengthControlled)}.`}`]
}

function disagreement({ who, winRate, raters }: Judgement, found: Conclusion): string {
  const own = conclusionOf(winRate)
  const rate = `${wholePercent(winRate.value ?? 0)}${percentInterval(winRate.interval)}`
  const by = raters === undefined ? who : `${who} (${amount(raters, 'rater')})`
  return own === found ? `${upper(by)} agrees: ${rate}.` : `${upper(by)} says otherwise: ${own}, ${rate}.`
}

const upper = (words: string): string => words[0].toUpperCase() + words.slice(1)

function fewRaters(raters: number | undefined): string[] {
  if (raters === undefined || raters >= FEW_RATERS) return []
  if (raters === 1) return ['One rater: of others nothing is known.']
  return [`${raters} raters are few: others may judge otherwise, and the interval is wide for that reason.`]
}

/** A headline a system, in the order in which the systems were judged. */
export function headlinesOf({ judgements = [], measures }: Judged): Headline[] {
  return [...groupBy(judgements, ({ system }) => system)].map(([system, own]) =>
    headlineOf(own, measures?.systems[system]?.['length.ratio']?.value),
  )
}

interface Judged {
  judgements?: readonly Judgement[]
  measures?: MeasuredSystems
}
