/** Second labels for the examples of a data set, from files of the same pairs judged again. */
import type { SectionOptions } from '../../config/options.js'
import type { Example, Vote } from '../../data/example.js'
import { votesOfPair } from '../../data/pair-votes.js'
import { readExamples } from '../../data/read/read-examples.js'
import { usageError } from '../../errors.js'
import { pairKeys, pairVotes, withMoreVotes } from '../../rescore/votes.js'
import type { Needs } from '../../session/needs.js'
import { count } from '../../show/units.js'

/** Second labels that say the same: whether the answer whose text has the smaller hash won, and how many say so. */
interface Second {
  smaller: boolean
  count: number
  annotator?: string
}

/**
 * Adds what `relabels` says of the examples' pairs as further votes. Pairs are found by prompt and answers. Of one
 * annotator the last word on a pair counts; votes without a name all do.
 * @throws ClhaError (exit 2) where none of its pairs is in the data
 */
export async function withRelabels(
  { options, ui }: Needs<Pick<SectionOptions<'rescore'>, 'relabels'>, 'ui'>,
  examples: Example[],
): Promise<Example[]> {
  const { relabels } = options
  if (relabels === undefined) return examples
  const seconds = await readSeconds(relabels)
  const found = new Set<string>()
  let [labels, otherwise] = [0, 0]
  const out = examples.map((example) => {
    const keys = pairKeys(example)
    const more = example.preferences.flatMap(({ better, worse }) => {
      const { key, turned } = keys.of(better, worse)
      // A pair that stands in several rows is judged once.
      if (found.has(key)) return []
      const votes = (seconds.get(key) ?? []).map(({ smaller, ...second }): Vote => {
        const agrees = smaller !== turned
        labels += second.count
        if (!agrees) otherwise += second.count
        return { ...(agrees ? { better, worse } : { better: worse, worse: better }), ...second }
      })
      if (votes.length > 0) found.add(key)
      return votes
    })
    return more.length > 0 ? withMoreVotes(example, more) : example
  })
  const files = relabels.join(', ')
  if (labels === 0) {
    throw usageError(
      `relabels: none of the ${count(seconds.size)} pairs of ${files} is in train_dataset`,
      'pairs are found by prompt and answers: give the data that were judged',
    )
  }
  ui.line(
    `second labels  ${count(labels)} of ${count(found.size)} pairs, ${count(otherwise)} judged otherwise`,
  )
  if (found.size < seconds.size)
    ui.warn(
      `${count(seconds.size - found.size)} of the ${count(seconds.size)} pairs of ${files} are not in train_dataset`,
    )
  return out
}

/** By the key of each pair. */
async function readSeconds(paths: readonly string[]): Promise<Map<string, Second[]>> {
  const { examples } = await readExamples([...paths], { minCandidates: 2 })
  const byVoter = new Map<string, Map<string | symbol, Second>>()
  for (const example of examples) {
    const keys = pairKeys(example)
    for (const { better, worse, ...vote } of pairVotes(example).flatMap(votesOfPair)) {
      const { key, turned } = keys.of(better, worse)
      const own = byVoter.get(key) ?? new Map<string | symbol, Second>()
      byVoter.set(key, own)
      // Nobody knows whether two votes without a name are one person's.
      own.set(vote.annotator ?? Symbol(), { smaller: !turned, ...vote })
    }
  }
  return new Map([...byVoter].map(([key, seconds]) => [key, [...seconds.values()]]))
}
