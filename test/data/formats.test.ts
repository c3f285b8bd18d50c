/** Each data format: what its row becomes, and what the error says when none fits. */
import { describe, expect, test } from 'vitest'
import { splitTranscript } from '../../src/data/formats/hh.js'
import { FORMATS, formatOf } from '../../src/data/formats/registry.js'
import { transcript } from './files.js'

const user = (content: string) => ({ role: 'user', content })
const assistant = (content: string) => ({ role: 'assistant', content })
const read = (row: Record<string, unknown>, options = {}) => {
  const format = formatOf(row)
  return { name: format.name, ...format.toExample(row, { splitter: 'full', ...options }) }
}
const chosenOverRejected = {
  candidates: [
    { text: 'good', origin: 'chosen' },
    { text: 'bad', origin: 'rejected' },
  ],
  preferences: [{ better: 0, worse: 1 }],
}

describe('pairs', () => {
  test.each([
    ['hh', { chosen: transcript('Hi', 'good'), rejected: transcript('Hi', 'bad') }],
    [
      'trl_conversational',
      { prompt: [user('Hi')], chosen: [assistant('good')], rejected: [assistant('bad')] },
    ],
    ['trl_implicit', { chosen: [user('Hi'), assistant('good')], rejected: [user('Hi'), assistant('bad')] }],
    [
      'trl_implicit',
      { prompt: 'Hi', chosen: [user('Hi'), assistant('good')], rejected: [user('Hi'), assistant('bad')] },
    ],
  ])('%s', (name, row) => {
    expect(read(row)).toEqual({ name, prompt: [user('Hi')], ...chosenOverRejected })
  })

  test('trl_string keeps its texts literally, and scores beside them become rewards', () => {
    const row = { prompt: 'Q:', chosen: ' good\n', rejected: ' bad', score_chosen: 2, score_rejected: -1 }
    expect(read(row)).toMatchObject({
      name: 'trl_string',
      prompt: 'Q:',
      candidates: [
        { text: ' good\n', reward: 2 },
        { text: ' bad', reward: -1 },
      ],
    })
    const other = read({ ...row, rm_chosen: 7, rm_rejected: 8 }, { rewardColumn: 'rm' })
    expect(other.candidates.map((candidate) => candidate.reward)).toEqual([7, 8])
  })

  test.each([
    ['different prompts', transcript('Hi', 'good'), transcript('Ho', 'bad'), 'different_prompts'],
    ['unequal turns', transcript('Hi', 'good'), transcript('Hi', 'a', 'b', 'bad'), 'unequal_turns'],
    [
      'a human at the end',
      transcript('Hi', 'good', 'so'),
      transcript('Hi', 'bad', 'so'),
      'last_not_assistant',
    ],
    ['no human at the start', '\n\nAssistant: good', '\n\nAssistant: bad', 'not_human_first'],
    [
      'text before the first turn',
      `x${transcript('Hi', 'good')}`,
      transcript('Hi', 'bad'),
      'not_human_first',
    ],
  ])('hh: %s is a content fault', (_, chosen, rejected, code) => {
    expect(() => read({ chosen, rejected })).toThrow(expect.objectContaining({ kind: 'content', code }))
  })

  test('a role or content of the wrong type is a structural fault that names its place', () => {
    const row = {
      prompt: [user('Hi')],
      chosen: [{ role: 'bot', content: 'x' }],
      rejected: [assistant('bad')],
    }
    expect(() => read(row)).toThrow('chosen[0].role is "bot"')
    const nulled = { ...row, chosen: [{ role: 'assistant', content: null }] }
    expect(() => read(nulled)).toThrow('chosen[0].content is null')
  })
})

describe('HH transcripts', () => {
  const text = transcript('one\n\ntwo', 'three\n\nHumans: four\n\nfive', 'six', 'seven')

  test('full keeps every paragraph and splits at role markers only', () => {
    expect(splitTranscript(text, 'full')).toEqual([
      user('one\n\ntwo'),
      assistant('three\n\nHumans: four\n\nfive'),
      user('six'),
      assistant('seven'),
    ])
  })

  test('legacy drops paragraphs without a marker', () => {
    expect(splitTranscript(text, 'legacy')).toEqual([
      user('one'),
      assistant('three'),
      user('six'),
      assistant('seven'),
    ])
  })

  test.each(['full', 'legacy'] as const)('%s joins turns of one speaker with a newline', (splitter) => {
    const twice = '\n\nHuman: a\n\nHuman: b\n\nAssistant: c'
    expect(splitTranscript(twice, splitter)).toEqual([user('a\nb'), assistant('c')])
  })
})

describe('lists', () => {
  const list = { prompt: [user('Hi')], completions: ['a', 'b', 'c'] }

  test('rewards stay rewards and are no human preference', () => {
    const row = read({ ...list, rewards: [1, 3, 2] })
    expect(row.candidates).toEqual([
      { text: 'a', reward: 1 },
      { text: 'b', reward: 3 },
      { text: 'c', reward: 2 },
    ])
    expect(row.preferences).toEqual([])
  })

  test('ranks become the preferences of all pairs; equal ranks none', () => {
    expect(read({ ...list, ranks: [2, 1, 2] }).preferences).toEqual([
      { better: 1, worse: 0 },
      { better: 1, worse: 2 },
    ])
    expect(read({ ...list, ranks: [3, 2, 1] }).preferences.length).toBe(3)
  })

  test('a reward column of another name, of the wrong length, or not of numbers', () => {
    expect(read({ ...list, rm: [1, 2, 3] }, { rewardColumn: 'rm' }).candidates[2].reward).toBe(3)
    expect(() => read({ ...list, rewards: [1, 2] })).toThrow('2 numbers for 3 completions')
    expect(() => read({ ...list, rewards: ['1', 2, 3] })).toThrow('rewards[0] is "1", not a number')
  })
})

describe('one answer', () => {
  test.each([
    ['prompt_completion', { prompt: 'Q', completion: 'A' }, 'Q'],
    ['prompt_completion', { prompt: [user('Q')], completion: [assistant('A')] }, [user('Q')]],
    ['messages', { messages: [user('Q'), assistant('A')] }, [user('Q')]],
    ['text', { text: 'A' }, ''],
  ])('%s', (name, row, prompt) => {
    expect(read(row)).toEqual({ name, prompt, candidates: [{ text: 'A' }], preferences: [] })
  })
})

describe('no format', () => {
  test.each([
    [{ prompt: 'Q', chosen: 'A' }, 'nearest is trl_string: rejected has to be string, is missing'],
    [{ prompt: 'Q', chosen: 'A', rejected: 5 }, 'rejected has to be string, is a number'],
    [{ chosen: 'A', rejected: 'B' }, 'nearest is hh: its text has no "Human:"'],
    [{ question: 'Q', answer: 'A' }, 'columns found: question, answer'],
  ])('%j: the error names what is missing', (row, message) => expect(() => read(row)).toThrow(message))

  test('names are unique', () =>
    expect(new Set(FORMATS.map((format) => format.name)).size).toBe(FORMATS.length))
})
