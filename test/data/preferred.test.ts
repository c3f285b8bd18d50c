/** The preferred answer is the same for SFT, for the references of an evaluation and for conversion. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { EncodedExample } from '../../src/data/encode/encoded.js'
import type { Candidate, Example, Preference } from '../../src/data/example.js'
import { mostPreferred, preferredIndex } from '../../src/data/preferred.js'
import { writeExamples } from '../../src/data/write/write-examples.js'
import { evaluationSet } from '../../src/evaluate/evaluation-set.js'
import { sftItems } from '../../src/methods/items.js'
import { dataFile } from './files.js'

const example = (candidates: Candidate[], preferences: Preference[] = []): Example => ({
  id: '1',
  prompt: [{ role: 'user', content: 'Q' }],
  candidates,
  preferences,
  source: 's',
  file: 'f.jsonl',
  row: 1,
})

/** Answers of one token each, which is their place. */
const tokensOf = ({ id, candidates }: Example): EncodedExample => ({
  id,
  source: 's',
  promptIds: Int32Array.of(9),
  answers: candidates.map((_, i) => ({
    ids: Int32Array.of(i),
    scoredFrom: 0,
    truncated: false,
    ended: true,
  })),
  promptCut: 0,
})

const over = (better: number, worse: number) => ({ better, worse })

describe('the preferred answer', () => {
  const scored = [
    { text: 'a', reward: -3 },
    { text: 'b', reward: 5 },
  ]
  const three = ['a', 'b', 'c'].map((text) => ({ text }))
  const cases: [string, Example, number][] = [
    ['of a list with rewards and no ranks is that of the highest reward', example(scored), 1],
    ['is that which people chose, whatever its reward', example(scored, [over(0, 1)]), 0],
    ['has the most wins less losses', example(three, [over(1, 0), over(2, 0), over(1, 2)]), 1],
    [
      'of several that people put level is that of the highest reward',
      example(
        [
          { text: 'a', reward: 1 },
          { text: 'b', reward: 2 },
          { text: 'c', reward: 9 },
        ],
        [over(0, 2), over(1, 2)],
      ),
      1,
    ],
    [
      'was not judged undesirable',
      example([
        { text: 'a', desirable: false, reward: 7 },
        { text: 'b', desirable: true, reward: 1 },
      ]),
      1,
    ],
  ]

  test.each(cases)(
    '%s: learnt by SFT, asked for by an evaluation, kept by a conversion',
    async (_, e, at) => {
      const [item] = sftItems([e], [tokensOf(e)])
      expect([...item.encoded.answers[0].ids]).toEqual([at])
      expect(evaluationSet([e], 1, 42).references).toEqual([e.candidates[at].text])
      const file = dataFile('', 'out.jsonl')
      await writeExamples([e], 'messages', file)
      const { messages } = JSON.parse(readFileSync(file, 'utf8'))
      expect(messages.at(-1)).toEqual({ role: 'assistant', content: e.candidates[at].text })
    },
  )

  test('is the first of several that nothing tells apart; a reward that some lack decides nothing', () => {
    expect(preferredIndex(example(three))).toBe(0)
    const partly = example([{ text: 'a' }, { text: 'b', reward: 5 }])
    expect(mostPreferred(partly)).toEqual([0, 1])
    expect(preferredIndex(partly)).toBe(0)
  })

  test('is one of the undesirable ones where there is no other', () => {
    expect(mostPreferred(example([{ text: 'a', desirable: false }]))).toEqual([0])
  })
})
