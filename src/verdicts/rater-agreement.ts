/** How often raters say the same of the same answers: people among themselves, and with each judge, model and rule. */
import { type ClusteredEstimate, clusteredRate, clustersOf } from '../statistics/clustered.js'
import { groupBy } from '../statistics/group-by.js'
import { countedRows } from './counted.js'
import type { JudgedRow } from './standing.js'
import type { VerdictRow } from './types.js'

export interface RaterAgreement {
  /** `people`, or the name of a judge, model or rule; twice `people`: two of them. */
  raters: readonly [string, string]
  /** Of all answers that both judged; that neither is better, and that both are bad, is the same. */
  all: ClusteredEstimate
  /** Of those where both name a winner; absent where there is none. */
  decided?: ClusteredEstimate
}

/** Verdicts of one group on two answers. */
interface Votes {
  a: number
  none: number
  b: number
}

/**
 * Agreement with ties and without (Zheng et al. 2023, section 4.2), for every two groups that judged the same answers. Of
 * each pair of answers the share of equal verdicts counts once, however many people judged it; intervals are over prompts.
 */
export function raterAgreements(rows: readonly VerdictRow[]): RaterAgreement[] {
  const counted = countedRows(rows)
  const groups = [...new Set(counted.map(groupOf))]
  const units = [...groupBy(counted, ({ item, systems }) => JSON.stringify([item, systems])).values()].map(
    (own) => ({
      prompt: own[0].prompt,
      votes: new Map([...groupBy(own, groupOf)].map(([group, given]) => [group, votesOf(given)])),
    }),
  )
  return groups
    .flatMap((x, i) => groups.slice(i).map((y) => [x, y] as const))
    .flatMap((raters): RaterAgreement[] => {
      const estimate = (votes: (all: Votes) => number[]) => {
        const found = units.flatMap(({ prompt, votes: of }) => {
          const [x, y] = raters.map((group) => of.get(group))
          const share = x && y && agreeing(votes(x), votes(y), raters[0] === raters[1])
          return share === undefined ? [] : [{ prompt, share }]
        })
        if (found.length === 0) return undefined
        const prompts = found.map(({ prompt }) => prompt)
        return clusteredRate(
          found.map(({ share }) => share),
          clustersOf(prompts),
        )
      }
      const all = estimate(({ a, none, b }) => [a, none, b])
      const decided = estimate(({ a, b }) => [a, b])
      return all ? [{ raters, all, ...(decided && { decided }) }] : []
    })
}

const groupOf = ({ kind, rater }: VerdictRow): string => (kind === 'person' ? 'people' : rater)

function votesOf(rows: readonly JudgedRow[]): Votes {
  const count = (...verdicts: string[]) => rows.filter(({ verdict }) => verdicts.includes(verdict)).length
  return { a: count('a'), none: count('tie', 'both_bad'), b: count('b') }
}

/** Share of pairs of verdicts, one of each side, that say the same; undefined where there is no pair. */
function agreeing(x: readonly number[], y: readonly number[], same: boolean): number | undefined {
  const total = (votes: readonly number[]) => votes.reduce((sum, n) => sum + n, 0)
  const pairs = total(x) * (total(y) - Number(same))
  if (pairs <= 0) return undefined
  return x.reduce((sum, n, k) => sum + n * (y[k] - Number(same)), 0) / pairs
}
