import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EXIT } from '../../src/exit-codes.js'
import { comparisonSource } from '../../src/stations/systems/comparison-source.js'
import { temporaryFolder } from '../helpers/folders.js'

type Rows = readonly (object | string)[]

/** A file for each system, and what is said while they are read. */
function files(systems: Record<string, Rows>) {
  const folder = temporaryFolder()
  const inputs = Object.entries(systems).map(([name, rows]) => {
    const text = rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join('')
    fs.writeFileSync(join(folder, name), text)
    return join(folder, name)
  })
  const said: string[] = []
  const read = (more: { reference?: string; gold?: string } = {}, names = inputs) =>
    comparisonSource(
      names,
      { output: join(folder, 'out.jsonl'), ...more },
      { warn: (text) => said.push(text) },
    )
  return { folder, inputs, said, read }
}

const row = (prompt: unknown, answer: string, more: object = {}) => ({ prompt, answer, ...more })

test('answers belong together by their prompts, in the order of the first file', async () => {
  const { read } = files({
    'one.jsonl': [row('A?', '1a'), row('B?', '1b')],
    'two.jsonl': [row([{ role: 'user', content: 'B?' }], '2b'), row('A?', '2a')],
  })
  const { items } = await read()
  expect(
    items.map(({ prompt, answers }) => [prompt, answers.map(({ system, text }) => `${system} ${text}`)]),
  ).toEqual([
    ['A?', ['one 1a', 'two 2a']],
    ['B?', ['one 1b', 'two 2b']],
  ])
  expect(new Set(items.map(({ item }) => item)).size).toBe(2)
})

test('other names of the columns, ids, sources, references and names of systems are read', async () => {
  const { folder, inputs, read } = files({
    'one.jsonl': [{ question_id: 81, instruction: 'A?', output: '1', category: 'writing' }],
    'two.json': ['[{"messages": [{"role": "user", "content": "A?"}], "response": "2"}]'],
    'three.csv': ['prompt,completion', 'A?,3'],
  })
  fs.writeFileSync(join(folder, 'good.jsonl'), '{"prompt": "A?", "answer": "best"}\n')
  const { items } = await read({ reference: join(folder, 'good.jsonl') }, [
    `named=${inputs[0]}`,
    ...inputs.slice(1),
  ])
  expect(items).toMatchObject([
    {
      item: '81',
      source: 'writing',
      reference: 'best',
      answers: [
        { system: 'named', text: '1' },
        { system: 'two', text: '2' },
        { system: 'three', text: '3' },
      ],
    },
  ])
})

test('missing answers are said and left out; rows that say the same count once', async () => {
  const { read, said } = files({
    'one.jsonl': [row('A?', '1'), row('B?', '1'), row('A?', '1')],
    'two.jsonl': [row('A?', '2')],
  })
  const { items } = await read()
  expect(items.map(({ answers }) => answers.length)).toEqual([2, 1])
  expect(said).toEqual([
    expect.stringContaining('one.jsonl: 1 row said the same as an earlier one'),
    'two has no answer to 1 of 2 prompts: there it is not compared',
  ])
})

test('what can not be compared is refused by what is wrong with it', async () => {
  const cases: [Record<string, Rows>, string][] = [
    [{ 'one.jsonl': [row('A?', '1')] }, 'nothing to compare'],
    [
      { 'one.jsonl': [row('A?', '1')], 'two.jsonl': [row('B?', '2')] },
      'no prompt has answers of two systems',
    ],
    [
      { 'one.jsonl': [row('A?', '1')], 'two.jsonl': [row('A?', '1')] },
      'one and two gave the same answers to all 1 prompt',
    ],
    [
      { 'one.jsonl': [row('A?', '1'), row('A?', '3')], 'two.jsonl': [row('A?', '2')] },
      'one.jsonl:2: another answer to the prompt of row 1',
    ],
    [
      { 'one.jsonl': [{ prompt: 'A?' }], 'two.jsonl': [row('A?', '2')] },
      'one.jsonl:1: no answer, response, output, completion',
    ],
    [{ 'one.jsonl': [{ prompt: 'A?', answer: 7 }], 'two.jsonl': [row('A?', '2')] }, 'one.jsonl:1: answer: '],
    [{ 'one.jsonl': ['{"prompt": "A?", '], 'two.jsonl': [row('A?', '2')] }, 'one.jsonl:1: not JSON'],
    [{ 'one.jsonl': ['[1]'], 'two.jsonl': [row('A?', '2')] }, 'one.jsonl:1: the row is no object'],
    [{ 'one.jsonl': [], 'two.jsonl': [row('A?', '2')] }, 'the file is empty'],
    [
      { 'one.jsonl': [row('A?', '1')], 'one.json': ['[{"prompt": "A?", "answer": "2"}]'] },
      'two systems are called one',
    ],
  ]
  for (const [systems, message] of cases) {
    const { read } = files(systems)
    await expect(read(), message).rejects.toMatchObject({
      exitCode: EXIT.usage,
      message: expect.stringContaining(message),
    })
  }
})

test('a file of gold has to say which answer is better', async () => {
  const { folder, read } = files({ 'one.jsonl': [row('A?', '1')], 'two.jsonl': [row('A?', '2')] })
  const gold = join(folder, 'gold.jsonl')
  fs.writeFileSync(gold, '{"prompt": "1 + 1?", "chosen": "2", "rejected": "3"}\n')
  expect((await read({ gold })).items.at(-1)).toMatchObject({
    gold: 'a',
    source: 'gold',
    answers: [{ text: '2' }, { text: '3' }],
  })
})
