/** One row of every format: it is recognised as that format alone, and becomes the example that it stands for. */
import { describe, expect, test } from 'vitest'
import { labelOf } from '../../src/data/formats/format.js'
import { FORMAT_NAMES, FORMATS, formatOf } from '../../src/data/formats/registry.js'
import { readExamples } from '../../src/data/read/read-examples.js'
import { dataFile, jsonl, transcript } from './files.js'

type Row = Record<string, unknown>

const user = (content: string) => ({ role: 'user', content })
const assistant = (content: string) => ({ role: 'assistant', content })
const human = (value: string) => ({ from: 'human', value })
const gpt = (value: string) => ({ from: 'gpt', value })
const HI = [user('Hi')]
const LONG = [user('Hi'), assistant('Hello'), user('How?')]

const read = (row: Row, options = {}) => {
  const format = formatOf(row)
  return { name: format.name, ...format.toExample(row, { splitter: 'full', ...options }) }
}
const pairTo = (prompt: unknown, good = 'good', bad = 'bad') => ({
  prompt,
  candidates: [
    { text: good, origin: 'chosen' },
    { text: bad, origin: 'rejected' },
  ],
  preferences: [{ better: 0, worse: 1 }],
})
const rated = (prompt: unknown) => ({
  prompt,
  candidates: [
    { text: 'a', reward: 2.5 },
    { text: 'b', reward: -1 },
  ],
  preferences: [],
})
const alone = (prompt: unknown, text = 'good') => ({ prompt, candidates: [{ text }], preferences: [] })
const labelled = (prompt: unknown, desirable: boolean, text = 'good') => ({
  prompt,
  candidates: [{ text, desirable }],
  preferences: [],
})
const both = { chosen: 'good', rejected: 'bad' }
const history = [['Hi', 'Hello']]
const prefix = ['<|prompter|>Hi', '<|assistant|>Hello', '<|prompter|>How?', '<|assistant|>']

const TABLE: [name: string, row: Row, example: object][] = [
  ['listwise', { prompt: 'Q', completions: ['a', 'b'], rewards: [2.5, -1] }, rated('Q')],
  ['pro', { prefix: [prefix, prefix], suffix: ['a', 'b'], reward: [2.5, -1], sft_index: 0 }, rated(LONG)],
  [
    'rrhf',
    { query: `${transcript('Hi')}\n\nAssistant:`, responses: [' a', ' b'], scores: [2.5, -1] },
    rated(HI),
  ],
  ['rrhf', { query: 'Once upon', responses: ['a', 'b'], scores: [2.5, -1] }, rated('Once upon')],
  [
    'reward_bench',
    { id: 1, subset: 's', prompt: 'Hi', ...both, chosen_model: 'x', rejected_model: 'y' },
    pairTo(HI),
  ],
  ['trl_string', { prompt: 'Q:', chosen: ' good', rejected: ' bad' }, pairTo('Q:', ' good', ' bad')],
  ['trl_string', { prompt: 'Q:', ...both, margin: 1.5 }, pairTo('Q:')],
  [
    'trl_conversational',
    { prompt: HI, chosen: [assistant('good')], rejected: [assistant('bad')] },
    pairTo(HI),
  ],
  [
    'trl_implicit',
    { chosen: [...LONG, assistant('good')], rejected: [...LONG, assistant('bad')] },
    pairTo(LONG),
  ],
  [
    'trl_implicit',
    { prompt: 'Hi', prompt_id: 'x', messages: [...LONG, assistant('good')] }, // UltraFeedback, binarized
    pairTo(LONG),
  ],
  ['trl_implicit', { prompt: 'Hi', chosen: [assistant('good')], rejected: [assistant('bad')] }, pairTo(HI)],
  ['trl_implicit', { chosen: [human('Hi'), gpt('good')], rejected: [human('Hi'), gpt('bad')] }, pairTo(HI)],
  ['sharegpt_pair', { conversations: [human('Hi')], chosen: gpt('good'), rejected: gpt('bad') }, pairTo(HI)],
  [
    'sharegpt_pair',
    { system: 'S', conversations: [human('Hi')], chosen: gpt('good'), rejected: gpt('bad') },
    pairTo([{ role: 'system', content: 'S' }, ...HI]),
  ],
  ['messages_pair', { messages: HI, chosen: assistant('good'), rejected: assistant('bad') }, pairTo(HI)],
  [
    'openai_preference',
    {
      input: { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }], tools: [] },
      preferred_output: [assistant('good')],
      non_preferred_output: [assistant('bad')],
    },
    pairTo(HI),
  ],
  ['orca_dpo', { system: '', question: 'Hi', ...both }, pairTo(HI)],
  ['orca_dpo', { system: 'S', question: 'Hi', ...both }, pairTo([{ role: 'system', content: 'S' }, ...HI])],
  ['alpaca_pair', { instruction: 'Do', input: 'this', ...both }, pairTo([user('Do\nthis')])],
  ['alpaca_pair', { instruction: 'How?', input: '', history, ...both }, pairTo(LONG)],
  ['alpaca_output', { instruction: 'How?', history, output: ['good', 'bad'] }, pairTo(LONG)],
  ['hh', { chosen: transcript('Hi', 'good'), rejected: transcript('Hi', 'bad') }, pairTo(HI)],
  ['dialogue_answers', { conversations: [human('Hi')], ...both }, pairTo(HI)],
  [
    'chosen_lists',
    { prompt: 'Q', chosen: ['a', 'b'], rejected: 'c' },
    {
      prompt: 'Q',
      candidates: [
        { text: 'a', origin: 'chosen' },
        { text: 'b', origin: 'chosen' },
        { text: 'c', origin: 'rejected' },
      ],
      preferences: [
        { better: 0, worse: 2 },
        { better: 1, worse: 2 },
      ],
    },
  ],
  [
    'shp',
    { history: 'Hi', human_ref_A: 'good', human_ref_B: 'bad', labels: 1, score_A: 9, score_B: 2 },
    {
      prompt: HI,
      candidates: [
        { text: 'good', reward: 9 },
        { text: 'bad', reward: 2 },
      ],
      preferences: [{ better: 0, worse: 1 }],
    },
  ],
  [
    'answer_columns',
    { prompt: 'Q', response_a: 'good', response_b: 'bad', label: 'B' },
    { prompt: 'Q', candidates: [{ text: 'good' }, { text: 'bad' }], preferences: [{ better: 1, worse: 0 }] },
  ],
  [
    'answer_objects',
    {
      instruction: 'Hi',
      completions: [
        { response: 'a', overall_score: 2.5 },
        { response: 'b', overall_score: -1 },
      ],
    },
    rated(HI),
  ],
  [
    'answer_map',
    { query: 'Q', answers: { m1: 'a', m2: 'b' }, scores: { m1: 2.5, m2: -1 } },
    {
      prompt: 'Q',
      candidates: [
        { text: 'a', reward: 2.5, origin: 'm1' },
        { text: 'b', reward: -1, origin: 'm2' },
      ],
      preferences: [],
    },
  ],
  ['answer_list', { prompt: 'Q', candidates: ['a', 'b'], scores: [2.5, -1] }, rated('Q')],
  ['kto', { prompt: HI, completion: [assistant('good')], label: true }, labelled(HI, true)],
  ['kto', { prompt: 'Q:', completion: ' good', label: 'False' }, labelled('Q:', false, ' good')],
  ['kto_messages', { messages: [...HI, assistant('good')], label: false }, labelled(HI, false)],
  ['kto_sharegpt', { conversations: [human('Hi'), gpt('good')], label: 1 }, labelled(HI, true)],
  ['kto_alpaca', { instruction: 'Hi', input: '', output: 'good', label: true }, labelled(HI, true)],
  ['prompt_completion', { prompt: 'Q', completion: 'good' }, alone('Q')],
  ['messages', { messages: [...LONG, assistant('good')] }, alone(LONG)],
  ['sharegpt', { conversations: [human('Hi'), gpt('good')] }, alone(HI)],
  ['alpaca', { instruction: 'Hi', output: 'good' }, alone(HI)],
  ['text', { text: 'good' }, alone('')],
]
// UltraFeedback's three dialogues stand in one row; two of them make the pair.
Object.assign(TABLE[9][1], {
  chosen: [...LONG, assistant('good')],
  rejected: [...LONG, assistant('bad')],
})

describe('every format', () => {
  test.each(TABLE)('%s', (name, row, example) => {
    expect(read(row)).toEqual({ name, ...example })
  })

  test('has a row here', () => expect(new Set(TABLE.map(([name]) => name))).toEqual(new Set(FORMAT_NAMES)))

  test.each(TABLE)('%s can be forced, in a file', async (format, row, example) => {
    const file = dataFile(jsonl([row]))
    const { examples } = await readExamples(file, { format, minCandidates: 1, unpaired: true })
    expect(examples).toMatchObject([example])
  })

  test('a row of one format is not one of a format before it', () => {
    for (const [name, row] of TABLE) {
      const before = FORMATS.slice(0, FORMAT_NAMES.indexOf(name))
      expect(before.filter((format) => format.detect(row)).map((format) => format.name)).toEqual([])
    }
  })
})

/** Shapes of one format that are read on another way than its row above. */
const MORE: [name: string, row: Row][] = [
  [
    'answer_columns',
    {
      conversation_a: [...HI, assistant('good')],
      conversation_b: [...HI, assistant('bad')],
      winner: 'model_a',
    },
  ],
  ['answer_columns', { prompt: '["Hi"]', response_a: '["good"]', response_b: '["bad"]', label: 'A' }],
  ['answer_list', { text: ['a', 'b'], scores: [2.5, -1] }],
  ['prompt', { prompt: 'Hi' }],
  ['prompt', { prompt: HI }],
  ['open_messages', { messages: HI }],
]

test.each([...TABLE.map(([name, row]): [string, Row] => [name, row]), ...MORE])(
  'a system column beside %s is the first turn, or refused',
  async (name, row) => {
    const system = { role: 'system', content: 'SYS' }
    const file = dataFile(jsonl([{ ...row, system: 'SYS' }]))
    const reads = readExamples(file, { minCandidates: 0, unpaired: true })
    if (typeof row.text === 'string' || Array.isArray(row.text)) {
      await expect(reads).rejects.toThrow('columns: {system: null} leaves the column out')
      return
    }
    const { examples, report } = await reads
    expect(Object.keys(report.formats)).toEqual([name])
    const turns = [examples[0].prompt].flat()
    expect(turns[0]).toEqual(system)
    expect(turns.filter((turn) => typeof turn !== 'string' && turn.role === 'system')).toHaveLength(1)
  },
)

describe('scores beside the answers', () => {
  test.each([
    ['alpaca_pair', { instruction: 'Hi', ...both }],
    ['orca_dpo', { question: 'Hi', ...both }],
    ['sharegpt_pair', { conversations: [human('Hi')], chosen: gpt('good'), rejected: gpt('bad') }],
  ])('%s reads score_chosen and score_rejected, as numbers or as CSV has them', (_, row) => {
    const { candidates } = read({ ...row, score_chosen: 3, score_rejected: '-0.5' })
    expect(candidates.map(({ reward }) => reward)).toEqual([3, -0.5])
  })
})

describe('what can be wrong', () => {
  test.each<[string, Row, string]>([
    ['one output', { instruction: 'Hi', output: ['a'] }, 'output has 1 text; a ranking has two at least'],
    [
      'a history without answers',
      { instruction: 'Hi', history: [['Hi']], ...both },
      'history[0] is not a pair',
    ],
    ['an input that is no text', { instruction: 'Hi', input: 5, ...both }, 'input is a number'],
    ['a role of its own', { conversations: [{ from: 'bot', value: 'x' }], label: true }, '.from is "bot"'],
    [
      'a picture',
      { messages: [{ role: 'user', content: [{ type: 'image_url' }] }], label: true },
      'only text is read',
    ],
    [
      'a call without text',
      { messages: [{ role: 'assistant', content: null }], label: true },
      'content is null',
    ],
    [
      'an output of two turns',
      { input: { messages: HI }, preferred_output: [...HI, ...HI], non_preferred_output: HI },
      'preferred_output holds 2 messages',
    ],
    [
      'prefixes that differ',
      { prefix: [prefix, prefix.slice(2)], suffix: ['a', 'b'] },
      'prefix 2 is not the same',
    ],
    ['a prefix too few', { prefix: [prefix], suffix: ['a', 'b'] }, '1 prefixes for 2 answers'],
    ['a turn without a tag', { prefix: [['Hi']], suffix: ['a'] }, 'does not start with <|prompter|>'],
    ['a score too few', { query: 'Q', responses: ['a', 'b'], scores: [1] }, '1 numbers for 2 responses'],
    [
      'a reward that is no number',
      { prompt: 'Q', completions: ['a'], rewards: ['1'] },
      'rewards[0] is "1", not a number',
    ],
    [
      'a label that is none',
      { prompt: 'Q', completion: 'a', label: 'good' },
      'its label is neither true nor false',
    ],
    [
      'a prompt of another kind',
      { prompt: 'Q', completion: [assistant('a')], label: true },
      'both strings or both',
    ],
  ])('%s', (_, row, message) => expect(() => read(row)).toThrow(message))

  test.each([
    [true, true],
    ['TRUE', true],
    [0, false],
    [0n, false],
    ['yes', undefined],
    [null, undefined],
  ])('a label %s is %s', (value, label) => expect(labelOf(value)).toBe(label))
})

describe('unpaired rows', () => {
  const rows = [true, false, true].map((label, i) => ({ prompt: `Q${i}`, completion: 'same', label }))

  test('are taken where they are asked for, beside pairs', async () => {
    const file = dataFile(jsonl([...rows, { prompt: 'P', ...both }]))
    const { examples } = await readExamples(file, { unpaired: true })
    expect(examples.map(({ candidates }) => candidates.map(({ desirable }) => desirable))).toEqual([
      [true],
      [false],
      [true],
      [undefined, undefined],
    ])
  })

  test('are refused elsewhere with a way out, and serve as prompts', async () => {
    const file = dataFile(jsonl(rows))
    await expect(readExamples(file)).rejects.toThrow(`${file}:1 (byte 0): the row is unpaired`)
    await expect(readExamples(file)).rejects.toThrow('methods kto and bco')
    expect((await readExamples(file, { minCandidates: 0 })).examples.length).toBe(3)
  })
})

test('columns of other names are mapped for any format', async () => {
  const rows = [{ ask: 'Hi', better: 'good', worse: 'bad' }]
  const columns = { question: 'ask', chosen: 'better', rejected: 'worse' }
  const { examples } = await readExamples(dataFile(jsonl(rows)), { columns })
  expect(examples).toMatchObject([pairTo(HI)])
  await expect(readExamples(dataFile(jsonl(rows)), { columns: { chosen: 'no' } })).rejects.toThrow(
    'no column "no" for chosen (columns found: ask, better, worse)',
  )
})
