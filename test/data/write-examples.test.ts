/** Writing data files: what is written reads back as it was, and what a format can't hold is said. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Candidate, Example, Preference } from '../../src/data/example.js'
import { readExamples } from '../../src/data/read/read-examples.js'
import { type WriteFormat, writeExamples } from '../../src/data/write/write-examples.js'
import type { Prompt } from '../../src/dialogue.js'
import { dataFile } from './files.js'

const user = (content: string) => ({ role: 'user' as const, content })
const assistant = (content: string) => ({ role: 'assistant' as const, content })

function example(
  id: string,
  prompt: Prompt,
  candidates: Candidate[],
  preferences: Preference[] = [{ better: 0, worse: 1 }],
): Example {
  return { id, prompt, candidates, preferences, source: 'made', file: 'in.jsonl', row: Number(id) }
}
const pairOf = (id: string, prompt: Prompt, scores?: [number, number]) =>
  example(id, prompt, [
    { text: `good é😀 ${id}`, origin: 'chosen', ...(scores && { reward: scores[0] }) },
    { text: `bad\nline ${id}`, origin: 'rejected', ...(scores && { reward: scores[1] }) },
  ])
const dialogue = [user('Hi'), assistant('Hello'), user('How?')]
const withScores = [pairOf('1', dialogue, [1.5, -2]), pairOf('2', [user('Ho')], [0.25, 0.125])]
const lists = ['1', '2', '3'].map((id) =>
  example(
    id,
    [user(`Q${id}`)],
    [
      { text: 'a', reward: -1.25, origin: 'x' },
      { text: 'b', reward: 3, origin: 'y' },
      { text: 'c', reward: 0, origin: 'z' },
    ],
    [
      { better: 1, worse: 0 },
      { better: 2, worse: 0 },
      { better: 1, worse: 2 },
    ],
  ),
)
const labelled = [true, false].map((desirable, i) =>
  example(String(i + 1), dialogue, [{ text: 'A', desirable }], []),
)

const essence = (examples: Example[]) =>
  examples.map(({ id, prompt, candidates, preferences, source }) => ({
    id,
    prompt,
    candidates,
    source,
    preferences: preferences.map(({ better, worse }) => `${better}>${worse}`).sort(),
  }))

describe.each(['out.jsonl', 'out.jsonl.gz', 'out.parquet'])('%s', (name) => {
  test.each<[string, WriteFormat, string, Example[]]>([
    ['trl, messages', 'trl', 'trl_conversational', withScores],
    ['trl, text', 'trl', 'trl_string', [pairOf('1', 'Q:'), pairOf('2', '')]],
    ['hh', 'hh', 'hh', withScores],
    ['listwise', 'listwise', 'listwise', lists],
    [
      'listwise, an answer that nobody compared',
      'listwise',
      'listwise',
      lists.map((list) => ({ ...list, preferences: [{ better: 2, worse: 0 }] })),
    ],
    ['kto', 'kto', 'kto', labelled],
    ['kto, text', 'kto', 'kto', [example('1', 'Q', [{ text: ' A', desirable: false }], [])]],
    ['messages', 'messages', 'messages', [example('1', dialogue, [{ text: 'A' }], [])]],
  ])('%s reads back as it was', async (_, format, expected, examples) => {
    const file = dataFile('old', name)
    const report = await writeExamples(examples, format, file)
    expect(report).toEqual({ rows: examples.length, examples: examples.length, majorities: 0, skipped: [] })
    const read = await readExamples(file, { minCandidates: 1, unpaired: true })
    expect(essence(read.examples)).toEqual(essence(examples))
    expect(read.report.formats).toEqual({ [expected]: examples.length })
    expect(readdirSync(dirname(file))).toEqual([name])
  })

  test('2,500 rows cross the row groups', async () => {
    const file = dataFile('', name)
    async function* many() {
      for (let i = 1; i <= 2500; i++) yield pairOf(String(i), [user(`Q${i}`)])
    }
    await writeExamples(many(), 'trl', file)
    const { examples } = await readExamples(file)
    expect(examples.map(({ prompt }) => prompt)).toEqual(
      Array.from({ length: 2500 }, (_, i) => [user(`Q${i + 1}`)]),
    )
  })
})

test('lines are plain JSON, one a row', async () => {
  const file = dataFile('', 'out.jsonl.gz')
  await writeExamples([pairOf('1', 'Q:')], 'trl', file)
  expect(JSON.parse(gunzipSync(readFileSync(file)).toString().trimEnd())).toEqual({
    id: '1',
    source: 'made',
    prompt: 'Q:',
    chosen: 'good é😀 1',
    rejected: 'bad\nline 1',
  })
})

describe('votes of several people', () => {
  const voted = (id: string, votes: [number, number]): Example => ({
    ...example(
      id,
      'Q',
      [{ text: 'a' }, { text: 'b' }],
      votes[0] === votes[1] ? [] : [{ better: 0, worse: 1 }],
    ),
    votes: [
      { better: 0, worse: 1, count: votes[0] },
      { better: 1, worse: 0, count: votes[1] },
    ],
  })

  test.each(['lists.jsonl', 'lists.parquet'])('on two answers stay in a list (%s)', async (name) => {
    const file = dataFile('', name)
    const rows = [
      example('1', 'Q', [{ text: 'c' }, { text: 'd' }], []),
      voted('2', [3, 1]),
      voted('3', [2, 2]),
    ]
    expect((await writeExamples(rows, 'listwise', file)).majorities).toBe(0)
    const { examples } = await readExamples(file)
    expect(examples.map(({ votes }) => votes)).toEqual([undefined, rows[1].votes, rows[2].votes])
    expect(examples.map(({ preferences }) => preferences.length)).toEqual([0, 1, 0])
  })

  test('become one label elsewhere, and that is counted', async () => {
    const file = dataFile('', 'pairs.jsonl')
    const report = await writeExamples([pairOf('1', 'Q'), voted('2', [3, 1])], 'trl', file)
    expect(report).toMatchObject({ rows: 2, majorities: 1 })
  })
})

test('of a pair with one score that score is written', async () => {
  const file = dataFile('', 'one.jsonl')
  await writeExamples([example('1', 'Q', [{ text: 'a', reward: 2 }, { text: 'b' }])], 'trl', file)
  const { examples } = await readExamples(file)
  expect(examples[0].candidates.map(({ reward }) => reward)).toEqual([2, undefined])
})

describe('what a format has no place for', () => {
  const good = pairOf('1', [user('Hi')])
  test.each<[WriteFormat, string, Example]>([
    ['trl', 'no answer is preferred', example('2', 'Q', [{ text: 'a' }, { text: 'b' }], [])],
    ['hh', 'literal text', pairOf('2', 'Q')],
    ['hh', 'role marker', pairOf('2', [user('x\n\nAssistant: y')])],
    ['hh', 'space at its ends', pairOf('2', [user('x ')])],
    ['hh', 'alternation', pairOf('2', [{ role: 'system', content: 'S' }, user('x')])],
    ['listwise', 'some answers have a reward', example('2', 'Q', [{ text: 'a', reward: 1 }, { text: 'b' }])],
    [
      'listwise',
      'no ranking',
      // a over b over c, and nobody compared a with c.
      example(
        '2',
        'Q',
        [{ text: 'a' }, { text: 'b' }, { text: 'c' }],
        [
          { better: 0, worse: 1 },
          { better: 1, worse: 2 },
        ],
      ),
    ],
    ['messages', 'literal text', pairOf('2', 'Q')],
    ['messages', 'no answer is the best', example('2', [user('Q')], [{ text: 'a' }, { text: 'b' }], [])],
  ])('%s: %s', async (format, reason, bad) => {
    const file = dataFile('', 'out.jsonl')
    const { examples, skipped } = await writeExamples([good, bad], format, file)
    expect(examples).toBe(1)
    expect(skipped).toMatchObject([{ file: 'in.jsonl', row: 2, reason: expect.stringContaining(reason) }])
  })

  test('several preferences of a list become several pairs with ids of their own', async () => {
    const file = dataFile('', 'out.jsonl')
    expect((await writeExamples(lists.slice(0, 1), 'trl', file)).rows).toBe(3)
    const { examples } = await readExamples(file)
    expect(examples.map(({ id, candidates }) => [id, candidates[0].text, candidates[1].text])).toEqual([
      ['1#1', 'b', 'a'],
      ['1#2', 'c', 'a'],
      ['1#3', 'b', 'c'],
    ])
  })
})

describe('a write that fails leaves the old file', () => {
  test.each<[string, string, Example[], RegExp]>([
    [
      'nothing to write',
      'out.jsonl',
      [example('1', 'Q', [{ text: 'a' }], [])],
      /nothing can be written as trl/,
    ],
    [
      'text and messages in one Parquet column',
      'out.parquet',
      [pairOf('1', 'Q'), pairOf('2', dialogue)],
      /not both/,
    ],
    ['another name', 'out.csv', [pairOf('1', 'Q')], /written as .jsonl/],
  ])('%s', async (_, name, examples, message) => {
    const file = dataFile('old', name)
    await expect(writeExamples(examples, 'trl', file)).rejects.toThrow(message)
    expect(readFileSync(file, 'utf8')).toBe('old')
    expect(readdirSync(dirname(file))).toEqual([name])
  })

  test('an input that breaks off', async () => {
    const file = dataFile('old', 'out.jsonl')
    async function* broken() {
      yield pairOf('1', 'Q')
      throw new Error('cut')
    }
    await expect(writeExamples(broken(), 'trl', file)).rejects.toThrow('cut')
    expect([readFileSync(file, 'utf8'), existsSync(`${file}.${process.pid}.tmp`)]).toEqual(['old', false])
  })
})
