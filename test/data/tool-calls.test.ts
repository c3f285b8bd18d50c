/** Tool calls, tools, names and reasoning: from the row to the template, and into what is written. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { encodeExamples } from '../../src/data/encode/encode.js'
import { readExamples } from '../../src/data/read/read-examples.js'
import { writeExamples } from '../../src/data/write/write-examples.js'
import { promptKey } from '../../src/dialogue.js'
import { rankDefaults, rankLists } from '../../src/rescore/rank.js'
import { readRankedJsonl, writeRankedJsonl } from '../../src/rescore/ranked-jsonl.js'
import { chatTemplate } from '../../src/text/template.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { writeTinyTokenizer } from '../text/tiny-tokenizer.js'

const WRITES =
  '{% if tools %}<tools>{{ tools | tojson }}</tools>\n{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}{% if m.tool_calls %}{% for c in m.tool_calls %}<tool_call>{{ c.function.name }} {{ c.function.arguments }}</tool_call>{% endfor %}{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}'

const call = (city: string) => ({
  id: 'call_1',
  type: 'function',
  function: { name: 'weather', arguments: JSON.stringify({ city }) },
})
const asked = { role: 'user', content: 'Weather in Oslo?' }
const inPrompt = {
  prompt: [
    asked,
    { role: 'assistant', content: '', tool_calls: [call('Oslo')] },
    { role: 'tool', content: '3 C, rain', tool_call_id: 'call_1', name: 'weather' },
  ],
  chosen: [{ role: 'assistant', content: 'It is 3 degrees and raining.' }],
  rejected: [{ role: 'assistant', content: 'No idea.' }],
}
const inAnswers = {
  prompt: [asked],
  tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }],
  chosen: [
    { role: 'assistant', content: null, tool_calls: [call('Oslo')], reasoning_content: 'Oslo it is.' },
  ],
  rejected: [{ role: 'assistant', content: '', tool_calls: [call('Rome')] }],
}

const folder = mkdtempSync(join(tmpdir(), 'tool-calls-'))
async function read(...rows: object[]) {
  const file = join(folder, `${Math.abs(JSON.stringify(rows).length)}-${rows.length}.jsonl`)
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return readExamples(file, { skipBad: true, maxDropped: 1 })
}
const tokenizer = await loadTokenizer(writeTinyTokenizer())
async function texts(rows: object[], template = WRITES) {
  const { examples } = await read(...rows)
  const { encoded, report } = await encodeExamples(
    examples,
    tokenizer,
    await chatTemplate(tokenizer, template),
    {
      maxLength: 2000,
    },
  )
  const all = encoded.map(({ promptIds, answers }) => [promptIds, ...answers.map(({ ids }) => ids)])
  const decode = (ids: Int32Array) => tokenizer.decode(ids, { keepSpecial: true })
  return { report, texts: await Promise.all(all.flat().map(decode)) }
}

describe('in what is trained', () => {
  test('a call in the prompt stands where the template puts it', async () => {
    const { texts: found } = await texts([inPrompt])
    expect(found[0]).toBe(
      '<|im_start|>user\nWeather in Oslo?<|im_end|>\n<|im_start|>assistant\n<tool_call>weather {"city":"Oslo"}</tool_call><|im_end|>\n<|im_start|>tool\n3 C, rain<|im_end|>\n<|im_start|>assistant\n',
    )
  })

  test('answers are calls and reasoning, and the tools of the row stand in front', async () => {
    const { texts: found } = await texts([inAnswers])
    expect(found).toEqual(
      [
        '<tools>[{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]</tools>\n<|im_start|>user\nWeather in Oslo?<|im_end|>\n<|im_start|>assistant\n<',
        'think>Oslo it is.</think><tool_call>weather {"city":"Oslo"}</tool_call><|im_end|>',
        'tool_call>weather {"city":"Rome"}</tool_call><|im_end|>',
      ].map((text, i) => (i === 0 ? text.slice(0, -1) : `<${text}`)),
    )
  })

  test.each([
    ['chatml', inPrompt, /leaves out tool calls/],
    ['hh', inPrompt, /leaves out tool calls/],
    ['chatml', inAnswers, /leaves out the tools/],
    ['plain', { ...inAnswers, tools: null }, /leaves out tool calls/],
    [
      'chatml',
      { ...inPrompt, prompt: [asked, { role: 'assistant', content: 'a', reasoning_content: 'b' }, asked] },
      /leaves out the reasoning/,
    ],
  ])('%s has no place for them: the row is named', async (name, row, reason) => {
    const { report } = await texts([row], name)
    expect(report.refused).toEqual([
      {
        id: expect.any(String),
        file: expect.any(String),
        row: 1,
        code: 'template_leaves_out',
        reason: expect.stringMatching(reason),
      },
    ])
  })

  test('a row that the template refuses is left out and named, the others are read', async () => {
    const refusing = `{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}${WRITES}`
    const system = { ...inPrompt, prompt: [{ role: 'system', content: 'Be brief.' }, asked] }
    const { report, texts: found } = await texts([inPrompt, system], refusing)
    expect(found).toHaveLength(3)
    expect(report.kept).toBe(1)
    expect(report.refused).toMatchObject([
      { row: 2, code: 'template_refuses', reason: expect.stringMatching(/System role not supported/) },
    ])
  })

  test('a template that takes too much stops everything: it is not the row', async () => {
    const bomb = `{% if messages | length > 3 %}{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}{% endif %}${WRITES}`
    await expect(texts([inPrompt], bomb)).rejects.toThrow(
      /the chat template \(custom\) was stopped: it takes too much/,
    )
  })
})

describe('in what is read', () => {
  test('equal texts with other calls are two answers; with the same calls they are one', async () => {
    expect((await read(inAnswers)).examples).toHaveLength(1)
    const { report } = await read(inAnswers, { ...inAnswers, rejected: inAnswers.chosen })
    expect(report.faults).toMatchObject([{ code: 'identical_answers', row: 2 }])
  })

  test('older and other forms become calls', async () => {
    const sharegpt = {
      conversations: [
        { from: 'human', value: 'Weather?' },
        { from: 'function_call', value: '{"name": "weather", "arguments": {"city": "Oslo"}}' },
        { from: 'observation', value: '3 C' },
      ],
      tools: '[{"name": "weather"}]',
      chosen: { from: 'gpt', value: 'Cold.' },
      rejected: { from: 'gpt', value: 'Hot.' },
    }
    const { examples } = await read(sharegpt)
    expect(examples[0].prompt).toEqual([
      { role: 'user', content: 'Weather?', tools: [{ name: 'weather' }] },
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ type: 'function', function: { name: 'weather', arguments: { city: 'Oslo' } } }],
      },
      { role: 'tool', content: '3 C' },
    ])
  })

  test.each([
    [{ ...inPrompt, tools: 'weather' }, /tools is a text that is no JSON/],
    [{ ...inPrompt, tools: ['weather'] }, /tools is an array, not a list of objects/],
    [{ ...inPrompt, prompt: [{ ...asked, tool_calls: 5 }] }, /prompt\[0\]\.tool_calls is a number/],
    [{ ...inPrompt, prompt: [{ ...asked, name: 5 }] }, /prompt\[0\]\.name is a number/],
  ])('what is none of them is a fault of its row', async (row, reason) => {
    const { report } = await read(inPrompt, row)
    expect(report.faults).toMatchObject([
      { row: 2, kind: 'structural', reason: expect.stringMatching(reason) },
    ])
  })

  test('prompts with other calls are other prompts', async () => {
    const { examples } = await read(inPrompt, {
      ...inPrompt,
      prompt: inPrompt.prompt.map(({ role, content }) => ({ role, content })),
    })
    expect(new Set(examples.map(({ prompt }) => promptKey(prompt))).size).toBe(2)
  })
})

describe('in what is written', () => {
  test('rescored.jsonl keeps all of it', async () => {
    const { examples } = await read(inPrompt, inAnswers)
    const file = join(folder, 'rescored.jsonl')
    const rewards = examples.map(() => [1.5, -0.5])
    const lists = rankLists(examples, rewards, rankDefaults, () => ({ temperature: 1, labelError: 0.25 }))
    await writeRankedJsonl(file, lists)
    const again = []
    for await (const list of readRankedJsonl(file)) again.push(list.example)
    expect(again).toEqual(examples)
  })

  test('trl keeps all of it', async () => {
    const { examples } = await read(inPrompt, inAnswers)
    const file = join(folder, 'out.jsonl')
    await writeExamples(examples, 'trl', file)
    const rows = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows[0]).toMatchObject(inPrompt)
    expect(rows[1]).toMatchObject({ ...inAnswers, chosen: [{ ...inAnswers.chosen[0], content: '' }] })
    const again = await readExamples(file)
    expect(again.examples.map(({ prompt, candidates }) => [prompt, candidates])).toEqual(
      examples.map(({ prompt, candidates }) => [prompt, candidates]),
    )
  })

  test.each([
    ['hh', 'out-hh.jsonl', /tool calls and reasoning have no place/],
    ['listwise', 'out-list.jsonl', /tool calls and reasoning have no place/],
    ['trl', 'out.parquet', /have no columns in Parquet/],
  ] as const)('%s as %s can not, and says so', async (format, name, reason) => {
    const { examples } = await read(inAnswers)
    await expect(writeExamples(examples, format, join(folder, name))).rejects.toThrow(reason)
  })
})
