/** Lists whose answers each bring their whole prompt, for models that read in both directions. */
import type { EncodedExample } from './encoded.js'

/** The same tokens with nothing shared: an empty prompt, and prompt plus answer as each answer's own tokens. */
export function unshared(example: EncodedExample): EncodedExample {
  const { promptIds, answers } = example
  return {
    ...example,
    promptIds: new Int32Array(0),
    answers: answers.map((answer) => {
      const ids = new Int32Array(promptIds.length + answer.ids.length)
      ids.set(promptIds)
      ids.set(answer.ids, promptIds.length)
      return { ...answer, ids, scoredFrom: promptIds.length + answer.scoredFrom }
    }),
  }
}
