/** Sampled answers become candidates: empty and repeated ones are left out, and counted. */
import type { Example } from '../../data/example.js'
import type { SampledAnswer } from './answer-store.js'

export interface JoinCounts {
  /** Answers that came. */
  answers: number
  empty: number
  /** Answers that the data or an earlier sample has already, but for white space. */
  duplicates: { data: number; sampled: number }
  /** Kept answers that ended at the length limit. */
  cut: number
  kept: number
}

export const noCounts = (): JoinCounts => ({
  answers: 0,
  empty: 0,
  duplicates: { data: 0, sampled: 0 },
  cut: 0,
  kept: 0,
})

/** Answers that differ in white space only are the same. */
const normalised = (text: string): string => text.replace(/\s+/g, ' ').trim()

/**
 * The examples with their sampled answers behind the candidates that they have; preferences stay as they are.
 * @param sampled answers by example
 */
export function joinAnswers(
  examples: readonly Example[],
  sampled: readonly (readonly SampledAnswer[])[],
): { examples: Example[]; counts: JoinCounts } {
  const counts = noCounts()
  const joined = examples.map((example, i) => {
    const data = new Set(example.candidates.map(({ text }) => normalised(text)))
    const earlier = new Set<string>()
    const added = sampled[i].filter(({ text, finishReason }) => {
      const key = normalised(text)
      counts.answers++
      if (key === '') counts.empty++
      else if (data.has(key)) counts.duplicates.data++
      else if (earlier.has(key)) counts.duplicates.sampled++
      else {
        earlier.add(key)
        counts.kept++
        if (finishReason === 'length') counts.cut++
        return true
      }
      return false
    })
    const candidates = added.map(({ text, origin, reward }) => ({
      // A literal prompt is continued by its answer, so a space before it is a part of it.
      text: typeof example.prompt === 'string' ? text : text.trim(),
      origin,
      ...(reward !== undefined && { reward }),
    }))
    return { ...example, candidates: [...example.candidates, ...candidates] }
  })
  return { examples: joined, counts }
}
