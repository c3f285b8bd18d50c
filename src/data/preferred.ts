/** Which answer of an example is the preferred one: one rule for SFT, evaluation and conversion. */
import type { Example } from './example.js'

type Judged = Pick<Example, 'candidates' | 'preferences'>

/** The places where `value` is largest. */
function largest(places: readonly number[], value: (place: number) => number): number[] {
  const most = Math.max(...places.map(value))
  return places.filter((place) => value(place) === most)
}

/**
 * The candidates that nothing puts behind another: not judged undesirable, then the most wins less losses, then the highest
 * reward where all that are left have one. Several, in their order, where nothing decides between them.
 * @returns indices into `candidates`; none for an example without any
 */
export function mostPreferred({ candidates, preferences }: Judged): number[] {
  const all = candidates.map((_, i) => i)
  const wanted = all.filter((i) => candidates[i].desirable !== false)
  const balance = candidates.map(() => 0)
  for (const { better, worse } of preferences) {
    balance[better] += 1
    balance[worse] -= 1
  }
  const ahead = largest(wanted.length > 0 ? wanted : all, (i) => balance[i])
  const rewards = ahead.map((i) => candidates[i].reward)
  if (rewards.includes(undefined)) return ahead
  return largest(ahead, (i) => candidates[i].reward as number)
}

/** The preferred answer's place: of several that nothing tells apart, the first. */
export const preferredIndex = (example: Judged): number => mostPreferred(example)[0]
