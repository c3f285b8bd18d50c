/** What users of other tools reported, on the recorded inputs: each is read right, or refused by its name and row. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { encodeExamples } from '../../src/data/encode/encode.js'
import type { Example } from '../../src/data/example.js'
import { readExamples } from '../../src/data/read/read-examples.js'
import { chatFields } from '../../src/serve/request-fields.js'
import { chatTemplate, trainedTexts } from '../../src/text/template.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { writeTinyTokenizer } from '../text/tiny-tokenizer.js'

const CASES = '../shared/cases/public-reports'
const place = (name: string, file: string) => join(CASES, name, file)
const textOf = (name: string, file: string) => readFileSync(place(name, file), 'utf8')
const rowsOf = async (name: string, file = 'rows.jsonl', options = {}): Promise<Example[]> =>
  (await readExamples(place(name, file), options)).examples
const tiny = (options = {}) => loadTokenizer(writeTinyTokenizer(options))
const recorded = async (name: string, file = 'template.jinja') =>
  await chatTemplate(await tiny(), textOf(name, file))

describe.runIf(existsSync(CASES))('reports', () => {
  test('01: a call in a prompt is written by its template', async () => {
    const [{ prompt }] = await rowsOf('01-tool-calls-in-prompt')
    const { prompt: write } = await recorded('01-tool-calls-in-prompt')
    expect(write(prompt)).toContain(
      '<|im_start|>assistant\n<tool_call>weather {"city": "Oslo"}</tool_call><|im_end|>',
    )
  })

  test('02: line ends of a template are those of Jinja', async () => {
    const [{ prompt }] = await rowsOf('02-template-with-crlf')
    const texts = ['lf.jinja', 'crlf.jinja'].map(async (file) =>
      (await recorded('02-template-with-crlf', file)).prompt(prompt),
    )
    const [lf, crlf] = await Promise.all(texts)
    expect(crlf).toBe(lf)
    expect(lf).toContain('<start_of_turn>user\nName a fruit.<end_of_turn>\n<start_of_turn>model\n')
  })

  test('03: a template that asks for tools is told that there are none', async () => {
    const [{ prompt }] = await rowsOf('03-template-asks-tools-none')
    const { prompt: write } = await recorded('03-template-asks-tools-none')
    expect(write(prompt)).toBe('<|im_start|>user\nName a fruit.<|im_end|>\n<|im_start|>assistant\n')
  })

  test('06: named templates without a default are an error that lists them', async () => {
    const config = JSON.parse(textOf('06-named-templates-without-default', 'tokenizer_config.json'))
    const tokenizer = await tiny({ config })
    await expect(chatTemplate(tokenizer)).rejects.toThrow(/chat.*tool_use.*default|default.*chat.*tool_use/)
  })

  test('07: the one row that a template refuses is named, the others are kept', async () => {
    const name = '07-one-row-that-the-template-refuses'
    const { report } = await encodeExamples(await rowsOf(name), await tiny(), await recorded(name), {
      maxLength: 256,
    })
    expect(report.kept).toBe(7)
    expect(report.refused).toMatchObject([
      { row: 8, code: 'template_refuses', reason: expect.stringContaining('System role not supported') },
    ])
  })

  test('08: a thought that the prompt opens and finished turns lack: training begins where they part', async () => {
    const name = '08-generation-prompt-opens-thinking'
    const [{ prompt, candidates }] = await rowsOf(name)
    const answers = candidates.map(({ text }) => text)
    const trained = trainedTexts(await recorded(name), prompt, answers)
    expect(trained.prompt).toBe('<|U|>Name a fruit.<|A|>')
    expect(trained.answers.map((answer) => answer.replace('<|im_end|>', ''))).toEqual(['Apple.', 'Car.'])
  })

  test('09: a history with nulls says what it says without them', () => {
    const { messages } = chatFields.parse(JSON.parse(textOf('09-openai-history-with-nulls', 'request.json')))
    expect(messages).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello.' },
      { role: 'user', content: 'More' },
    ])
  })

  test('10: ids that count from 0 in each file', async () => {
    const name = '10-ids-count-from-0-in-each-file'
    const { examples } = await readExamples([place(name, 'a.jsonl'), place(name, 'b.jsonl')])
    expect(examples.map(({ id }) => id)).toEqual(['0', `${place(name, 'b.jsonl')}:0`])
  })

  test.each(['conv.jsonl', 'string.jsonl'])('11: a system column stands in front: %s', async (file) => {
    const [{ prompt }] = await rowsOf('11-system-column', file)
    expect(prompt).toEqual([
      { role: 'system', content: 'You are a pirate.' },
      { role: 'user', content: 'Say hello.' },
    ])
  })

  test('12: messages as JSON text are messages, as Python text a fault', async () => {
    const [{ prompt, candidates }] = await rowsOf('12-messages-as-strings', 'json.jsonl')
    expect(prompt).toEqual([{ role: 'user', content: 'Name a fruit.' }])
    expect(candidates.map(({ text }) => text)).toEqual(['Apple.', 'Car.'])
    await expect(rowsOf('12-messages-as-strings', 'python.jsonl')).rejects.toThrow(
      /python\.jsonl:1 .*Python/s,
    )
  })

  test('13: Nectar and HelpSteer 3', async () => {
    const [nectar] = await rowsOf('13-published-layouts', 'nectar.jsonl')
    expect(nectar.preferences).toEqual([
      { better: 0, worse: 1 },
      { better: 0, worse: 2 },
      { better: 2, worse: 1 },
    ])
    const [steer] = await rowsOf('13-published-layouts', 'helpsteer3.jsonl')
    expect(steer).toMatchObject({
      prompt: [{ role: 'user', content: 'Name a fruit.' }],
      preferences: [{ better: 0, worse: 1 }],
    })
  })

  test('14: Orca pairs whose question is called input', async () => {
    const [{ prompt, candidates }] = await rowsOf('14-nearest-format', 'orca.jsonl')
    expect(prompt).toEqual([
      { role: 'system', content: 'You are a helpful assistant.' },
      { role: 'user', content: 'What is 2+2?' },
    ])
    expect(candidates.map(({ text }) => text)).toEqual(['It is 4.', 'It is 5.'])
  })

  test('18: pairs that are equal once they are cut are counted and warned of', async () => {
    const examples = await rowsOf('18-same-after-the-cut')
    const tokenizer = await tiny()
    const { report } = await encodeExamples(examples, tokenizer, await chatTemplate(tokenizer, 'hh'), {
      maxLength: 64,
    })
    expect(report.equalAfterCut).toBe(examples.length)
    expect(report.warnings.join(' ')).toMatch(/differ only behind the cut/)
  })

  test('19: a label that is null is named with its row', async () => {
    const read = readExamples(place('19-kto-row-without-label', 'rows.jsonl'), {
      minCandidates: 1,
      unpaired: true,
    })
    await expect(read).rejects.toThrow(/rows\.jsonl:2 .*label is null/s)
  })
})
