/** What verdicts come to, in sentences: who is better, by how much, and how sure that is. */
import { percentInterval } from '../../show/numbers.js'
import { amount, wholePercent } from '../../show/units.js'
import type { AgainstBaseline, VerdictFigures } from '../../verdicts/figures.js'

/** Of other judges, that they are one is no news. */
const PEOPLE = 'people'

/** Raters below this number say little of what other raters would say. */
export const FEW_RATERS = 5

/** A sentence a system, and what has to be known to read them. @param who `people`, or who else judged */
export function verdictSentences(figures: VerdictFigures, who: string): string[] {
  const { baseline, against, raters, separated } = figures
  return [
    ...against.flatMap((system) => [sentence(system, baseline, who), ...lengthWarning(system)]),
    ...(who === PEOPLE && raters > 1 && raters < FEW_RATERS
      ? [`${raters} raters: the intervals are wide, because others may judge otherwise.`]
      : []),
    ...(who === PEOPLE && raters === 1
      ? ['One rater: the intervals are over prompts; of other raters nothing is known.']
      : []),
    ...(figures.items === 1 ? ['One prompt: nothing can be said of others.'] : []),
    ...(separated
      ? [
          'A system never lost, or never won: its strength has no maximum, and is pulled to that of the others.',
        ]
      : []),
  ]
}

function sentence({ system, winRate }: AgainstBaseline, baseline: string, who: string): string {
  const { value, interval, prompts } = winRate
  const size = `wins ${wholePercent(value)} of comparisons${percentInterval(interval)}, over ${amount(prompts, 'prompt')}`
  const [low, high] = interval ?? [0, 1]
  if (low > 0.5) return `By ${who}, ${system} is better than ${baseline}: it ${size}.`
  if (high < 0.5) return `By ${who}, ${system} is worse than ${baseline}: it ${size}.`
  return `By ${who}, no difference between ${system} and ${baseline} is shown: ${system} ${size}.`
}

const lengthWarning = ({ system, lengthControlled: controlled }: AgainstBaseline): string[] =>
  controlled?.moves
    ? [
        `The length of the answers moves this by more than 10 points: at equal length ${system} wins ${wholePercent(controlled.value)}${percentInterval(controlled.interval)}.`,
      ]
    : []
