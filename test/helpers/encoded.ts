/** Encoded lists made of random ids, for tests of packing and of models. */
import type { EncodedAnswer, EncodedExample } from '../../src/data/encode/encoded.js'
import type { Random } from './numbers.js'

export const answer = (ids: readonly number[], scoredFrom = 0): EncodedAnswer => ({
  ids: Int32Array.from(ids),
  scoredFrom,
  truncated: false,
  ended: true,
})

export const encoded = (
  id: string,
  promptIds: readonly number[],
  answers: EncodedAnswer[],
): EncodedExample => ({
  id,
  source: 'test',
  promptIds: Int32Array.from(promptIds),
  answers,
  promptCut: 0,
})

/** A list of whole answers, each scored from its second token on. */
export const list = (id: string, promptIds: readonly number[], ...answers: number[][]): EncodedExample =>
  encoded(
    id,
    promptIds,
    answers.map((ids) => answer(ids, 1)),
  )

/** A list of `n` answers over ids from 3 on; some answers have one token, some have unscored context. */
export function randomList(random: Random, id: string, n: number, vocabulary: number): EncodedExample {
  const ids = (length: number) => Array.from({ length }, () => 3 + random.int(vocabulary - 3))
  const answers = Array.from({ length: n }, () => {
    const length = random.int(3) === 0 ? 1 : 1 + random.int(12)
    return answer(ids(length), length > 2 && random.int(3) === 0 ? 1 : 0)
  })
  return encoded(id, ids(1 + random.int(10)), answers)
}
