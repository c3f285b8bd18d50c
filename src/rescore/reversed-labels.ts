/** Labels reversed on purpose: what rescoring and losses make of wrong ones can then be counted. */
import type { Example, Preference, Vote } from '../data/example.js'
import { createRandom } from '../random.js'

export interface NoiseSettings {
  /** Share of the labels that are reversed at random. */
  level: number
  /** So many pairs are labelled a second time, as badly. */
  doubles: number
  seed: number
}

/** An example whose labels were partly reversed. */
export interface ReversedRow {
  example: Example
  /** Where each answer stood. */
  places: number[]
  /** Of each preference, whether it is reversed. */
  wrong: boolean[]
}

/**
 * The preferences of the rows are what is believed; each is reversed with the same probability, and votes on them are left out.
 * Pairs labelled twice have a second label of their own, which errs as often.
 */
export function reversedRows(
  examples: readonly Example[],
  { level, doubles, seed }: NoiseSettings,
): ReversedRow[] {
  const random = createRandom(`${level} ${seed}`)
  const label = ({ better, worse }: Preference): Preference =>
    random.next() < level ? { better: worse, worse: better } : { better, worse }
  const first = examples.map(({ preferences }) => preferences.map(label))
  const all = examples.flatMap(({ preferences }, i) =>
    preferences.map((preference, k) => ({ i, k, preference })),
  )
  const again = new Map<number, Vote[]>()
  for (const { i, k, preference } of random.shuffle(all).slice(0, doubles)) {
    const votes = [first[i][k], label(preference)].map((p): Vote => ({ ...p, count: 1 }))
    again.set(i, [...(again.get(i) ?? []), ...votes])
  }
  return examples.map((example, i) => {
    const { votes: _, ...rest } = example
    const votes = again.get(i)
    const told = { ...rest, preferences: first[i], ...(votes && { votes }) }
    const wrong = example.preferences.map(({ better }, k) => better !== first[i][k].better)
    return { ...chosenFirst(told), wrong }
  })
}

/** A pair as files have it, the labelled better answer first: what nobody knows is decided by the order of the file. */
function chosenFirst(example: Example): Pick<ReversedRow, 'example' | 'places'> {
  const { candidates, preferences, votes } = example
  if (candidates.length !== 2 || preferences[0]?.better !== 1)
    return { example, places: candidates.map((_, k) => k) }
  const other = <P extends Preference>(p: P): P => ({ ...p, better: p.worse, worse: p.better })
  return {
    example: {
      ...example,
      candidates: [candidates[1], candidates[0]],
      preferences: preferences.map(other),
      ...(votes && { votes: votes.map(other) }),
    },
    places: [1, 0],
  }
}
