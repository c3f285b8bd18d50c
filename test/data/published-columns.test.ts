/** What is beside the answers of a published row: named columns, ids, system turns, messages as text, roles, and the fault that names the nearest format. */
import { describe, expect, test } from 'vitest'
import { readExamples } from '../../src/data/read/read-examples.js'
import { dataFile, jsonl, type Row } from './files.js'

const user = (content: string) => ({ role: 'user', content })
const assistant = (content: string) => ({ role: 'assistant', content })
const system = (content: string) => ({ role: 'system', content })

const read = async (row: Row, options = {}) =>
  (await readExamples(dataFile(jsonl([row])), { minCandidates: 1, ...options })).examples[0]

describe('columns', () => {
  test('name the parts of a list, and the label that names one of them', async () => {
    const row = { ask: 'Q', good_one: 'a', other: 'b', third: 'c', pick: 'other' }
    const columns = { prompt: 'ask', completions: ['good_one', 'other', 'third'], label: 'pick' }
    const { candidates, preferences } = await read(row, { columns })
    expect(candidates.map(({ text, origin }) => [text, origin])).toEqual([
      ['a', 'good_one'],
      ['b', 'other'],
      ['c', 'third'],
    ])
    expect(preferences).toEqual([
      { better: 1, worse: 0 },
      { better: 1, worse: 2 },
    ])
  })

  test('leave a column out', async () => {
    const rows = [1.5, 1.5].map((id, i) => ({ id, prompt: `Q${i}`, chosen: 'a', rejected: 'b' }))
    const file = dataFile(jsonl(rows))
    await expect(readExamples(file)).rejects.toThrow('columns: {id: null} leaves the column out')
    expect((await readExamples(file, { columns: { id: null } })).examples.map(({ id }) => id)).toEqual([
      `${file}:1`,
      `${file}:2`,
    ])
  })
})

describe('ids', () => {
  test('that count from 0 in each file are told apart by the file', async () => {
    const a = dataFile(jsonl([{ id: 0, prompt: 'A', chosen: 'a', rejected: 'b' }]), 'a.jsonl')
    const b = dataFile(jsonl([{ id: 0, prompt: 'B', chosen: 'a', rejected: 'b' }]), 'b.jsonl')
    expect((await readExamples([a, b])).examples.map(({ id }) => id)).toEqual(['0', `${b}:0`])
  })

  test('twice in one file are an error that names the way out', async () => {
    const row = { id: 'x', prompt: 'A', chosen: 'a', rejected: 'b' }
    const hint = 'columns: {id: null}'
    const file = dataFile(jsonl([row, row]))
    await expect(readExamples(file)).rejects.toMatchObject({ hint: expect.stringContaining(hint) })
  })

  test('beyond 2^53 are exact', async () => {
    const line = (id: string) => `{"id": ${id}, "prompt": "Q", "chosen": "a", "rejected": "b"}\n`
    const file = dataFile(line('9007199254740993') + line('9007199254740992'))
    const { examples } = await readExamples(file)
    expect(examples.map(({ id }) => id)).toEqual(['9007199254740993', '9007199254740992'])
  })
})

describe('a system column', () => {
  const both = { chosen: 'a', rejected: 'b' }
  const turns = [system('S'), user('Hi')]
  test.each<[string, Row]>([
    ['trl_string', { prompt: 'Hi', ...both }],
    ['trl_conversational', { prompt: [user('Hi')], chosen: [assistant('a')], rejected: [assistant('b')] }],
    ['trl_implicit', { chosen: [user('Hi'), assistant('a')], rejected: [user('Hi'), assistant('b')] }],
    ['listwise', { prompt: [user('Hi')], completions: ['a', 'b'] }],
    ['listwise, text', { prompt: 'Hi', completions: ['a', 'b'] }],
    ['prompt_completion', { prompt: 'Hi', completion: 'a' }],
    ["Argilla's Orca pairs", { input: 'Hi', ...both }],
    ['answers in columns', { question: 'Hi', answer_a: 'a', answer_b: 'b', label: 'a' }],
  ])('%s: it is the first turn', async (_, row) => {
    expect((await read({ system: 'S', ...row })).prompt).toEqual(turns)
  })

  test('that is empty is no turn, and the prompt is still said in a dialogue', async () => {
    expect((await read({ system: '', prompt: 'Hi', ...both })).prompt).toEqual([user('Hi')])
  })
})

describe('message lists as text', () => {
  const dialogue = (answer: string) => [user('Hi'), assistant(answer)]
  test('JSON is read', async () => {
    const row = {
      prompt: 'Hi',
      chosen: JSON.stringify(dialogue('a')),
      rejected: JSON.stringify(dialogue('b')),
    }
    expect(await read(row)).toMatchObject({
      prompt: [user('Hi')],
      candidates: [{ text: 'a' }, { text: 'b' }],
    })
  })

  test('lists of answers and numbers in a table are read', async () => {
    const file = dataFile('prompt,completions,rewards\nQ,"[""a"", ""b""]","[1, 2.5]"\n', 'rows.csv')
    const { examples } = await readExamples(file)
    expect(examples[0].candidates).toEqual([
      { text: 'a', reward: 1 },
      { text: 'b', reward: 2.5 },
    ])
  })

  test("Python's is a fault with the way out", async () => {
    const row = { prompt: 'Hi', chosen: "[{'role': 'assistant', 'content': 'a'}]", rejected: 'b' }
    await expect(read(row)).rejects.toThrow('chosen is a message list as Python prints it')
  })

  test.each([
    '{"value": 3}\nThat is the JSON.',
    "{'value': 3, 'unit': 'cm'}",
    '{"from": "Berlin", "to": "Paris"}',
    '[{"role": "admin"}, {"role": "guest"}]',
    '[{"role": "user", "content": "Hi"}] is a list of messages.',
    "[{'role': 'user', 'content': 'Hi'}] is a list of messages.",
    "[{'value': 3}, {'value': 4}]",
  ])('an answer that is JSON or code stays text: %s', async (chosen) => {
    const { candidates } = await read({ prompt: 'Q', chosen, rejected: 'no' })
    expect(candidates[0].text).toBe(chosen)
  })

  test('calls may stand in place of a content', async () => {
    const called = { role: 'assistant', tool_calls: [{ function: { name: 'w' } }] }
    const row = { prompt: [user('Q')], chosen: JSON.stringify([called]), rejected: [assistant('b')] }
    expect((await read(row)).candidates[0]).toMatchObject({ text: '', tool_calls: called.tool_calls })
  })

  test('a forced format that is made of text leaves them text', async () => {
    const texts = [JSON.stringify(dialogue('a')), "[{'role': 'assistant', 'content': 'a'}]"]
    const row = { prompt: 'Hi', chosen: texts[0], rejected: texts[1] }
    const { candidates } = await read(row, { format: 'trl_string' })
    expect(candidates.map(({ text }) => text)).toEqual(texts)
  })

  test('text that only begins like one, and brackets in answers, stay text', async () => {
    const row = { prompt: 'Q', chosen: '[1, 2]', rejected: '{"rows": 1}' }
    expect((await read(row)).candidates.map(({ text }) => text)).toEqual(['[1, 2]', '{"rows": 1}'])
  })
})

describe('roles', () => {
  test.each([
    ['User', 'model'],
    ['USER', 'Assistant'],
    ['Human', 'GPT'],
  ])('%s and %s', async (asks, answers) => {
    const messages = [
      { role: asks, content: 'Hi' },
      { role: answers, content: 'a' },
    ]
    expect(await read({ messages })).toMatchObject({ prompt: [user('Hi')], candidates: [{ text: 'a' }] })
  })
})

describe('a fault names the nearest format', () => {
  test.each<[string, Row, string]>([
    [
      'a question by another name',
      { ask: 'Hi', chosen: 'a', rejected: 'b' },
      'if ask is that: columns: {prompt: ask}',
    ],
    [
      'an answer missing',
      { question: 'Hi', chosen: 'a' },
      'nearest is orca_dpo: rejected has to be string, is missing',
    ],
    ['a label of null', { prompt: 'Q', completion: 'a', label: null }, 'label is null'],
    ['the same for messages', { messages: [user('Hi'), assistant('a')], label: null }, 'label is null'],
  ])('%s', async (_, row, message) => {
    await expect(read(row, { unpaired: true })).rejects.toThrow(message)
  })
})
