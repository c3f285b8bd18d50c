/** What should not be between the answers of one row: copies, parts of each other, the question itself. */
import { answerKey } from '../data/content-key.js'
import type { Example } from '../data/example.js'
import { lastQuestion } from '../dialogue.js'
import { words } from '../text/lengths.js'
import { type Finding, finding } from './findings.js'
import { jaccard, shingles } from './shingles.js'
import { answerName } from './text-rules.js'

/** Jaccard similarity of the runs of five characters from which answers are nearly the same. */
const NEAR = 0.9

/** A part of fewer words is found in many texts by chance. */
const PART_WORDS = 3

/** Findings about the answers of one row. */
export function answerFindings(example: Example): Finding[] {
  return [...nearIdentical(example), ...partsOfEachOther(example), ...beginWithQuestion(example)]
}

function nearIdentical(example: Example): Finding[] {
  const sets = example.candidates.map(({ text }) => shingles(text))
  const besides = example.candidates.map((answer) => answerKey({ ...answer, text: '' }))
  const found: Finding[] = []
  for (let i = 0; i < sets.length; i++) {
    for (let j = i + 1; j < sets.length; j++) {
      if (besides[i] !== besides[j]) continue
      // A set that is much larger cannot be similar.
      if (Math.min(sets[i].length, sets[j].length) < NEAR * Math.max(sets[i].length, sets[j].length)) continue
      const similarity = jaccard(sets[i], sets[j])
      if (similarity < NEAR) continue
      const share = `${(100 * similarity).toFixed(0)} %`
      found.push(
        finding(
          'near_identical_answers',
          `answers ${i + 1} and ${j + 1} are ${share} the same text`,
          example,
        ),
      )
    }
  }
  return found
}

function partsOfEachOther(example: Example): Finding[] {
  const { candidates, preferences } = example
  const isPart = (part: string, whole: string) =>
    part.length < whole.length && whole.includes(part) && words(part) >= PART_WORDS
  return preferences.flatMap(({ better, worse }) => {
    const [a, b] = [candidates[better].text.trim(), candidates[worse].text.trim()]
    if (isPart(a, b)) {
      const message = `${answerName(better)}, the better one, stands inside ${answerName(worse)}`
      return [finding('chosen_in_rejected', message, example)]
    }
    if (!isPart(b, a)) return []
    const message = `${answerName(worse)}, the worse one, stands inside ${answerName(better)}`
    return [finding('rejected_in_chosen', message, example)]
  })
}

function beginWithQuestion(example: Example): Finding[] {
  const question = lastQuestion(example.prompt).trim()
  if (words(question) < PART_WORDS) return []
  return example.candidates.flatMap(({ text }, i) =>
    text.trimStart().startsWith(question)
      ? [finding('prompt_in_answer', `${answerName(i)} begins with the question`, example)]
      : [],
  )
}
