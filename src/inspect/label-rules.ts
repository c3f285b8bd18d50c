/** What only many rows show: the same pair labelled both ways, the same row twice. */

import { answerKey, contentKey } from '../data/content-key.js'
import type { Example, Preference } from '../data/example.js'
import { createSeen } from '../data/read/seen.js'
import { promptKey } from '../dialogue.js'
import { type Finding, finding } from './findings.js'
import { answerName } from './text-rules.js'

/** Room for the row and for one bit below the number of its file. */
const ROWS = 2 ** 40

/** @returns a check that remembers a hash of every row and of every pair it was given */
export function createLabelRules(): (example: Example) => Finding[] {
  const pairs = createSeen()
  const rows = createSeen()
  const files: string[] = []
  const placeOf = ({ file, row }: Example, bit: number) => {
    if (files.at(-1) !== file) files.push(file)
    return (files.length - 1) * ROWS + row * 2 + bit
  }
  const tell = (place: number) => `${files[Math.floor(place / ROWS)]}:${Math.floor((place % ROWS) / 2)}`
  return (example) => {
    const earlier = rows.first(contentKey(example), placeOf(example, 0))
    if (earlier !== undefined) {
      return [finding('duplicate_row', `the same as ${tell(earlier)}`, example)]
    }
    return labelsOf(example).flatMap(({ key, bit, what }) => {
      const first = pairs.first(key, placeOf(example, bit))
      if (first === undefined || first % 2 === bit) return []
      return [finding('contradictory_labels', `${what} is labelled the other way at ${tell(first)}`, example)]
    })
  }
}

/**
 * Each label as a key that does not depend on which way it goes, and the way it goes as a bit. Two people who are named
 * may differ: a label of one contradicts another of the same one.
 */
function labelsOf({ prompt, candidates, preferences, votes = [] }: Example) {
  const asked = promptKey(prompt)
  const named = votes.filter(({ annotator }) => annotator !== undefined)
  const labels: readonly (Preference & { annotator?: string })[] = named.length > 0 ? named : preferences
  const pairs = labels.map(({ better, worse, annotator }) => {
    const [a, b] = [answerKey(candidates[better]), answerKey(candidates[worse])]
    const answers = a < b ? [a, b] : [b, a]
    const what = `${answerName(better)} over ${answerName(worse)}`
    const key = JSON.stringify([asked, ...answers, ...(annotator === undefined ? [] : [annotator])])
    return { key, bit: a < b ? 0 : 1, what }
  })
  const alone = candidates.flatMap((answer, i) => {
    if (answer.desirable === undefined) return []
    const key = JSON.stringify([asked, answerKey(answer)])
    return [{ key, bit: answer.desirable ? 0 : 1, what: answerName(i) }]
  })
  return [...pairs, ...alone]
}
