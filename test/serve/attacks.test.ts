// Requests that are meant to exhaust, to confuse or to get something said back: each has its clear refusal, and others go on.
import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, writeFiles } from '../commands/eval-folder.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { json, post, type Serving, startServing } from './serving.js'

let files: Files
let server: Serving
let end: () => Promise<unknown>
beforeAll(async () => {
  files = await writeFiles(tempFolder('serve-attacks'))
  const values = { modelNameOrPath: files.model, rewardModel: files.reward, evalBatchSize: 4 }
  server = await startServing({ ...values, servedModelName: 'tiny' }, (stop) => {
    end = stop
  })
}, 60_000)
afterAll(() => end())

const MIB = 2 ** 20
const complete = (body: unknown) => post(`${server.url}/v1/completions`, body)
const refusal = async (response: Response) => {
  const { error } = await json(response)
  return { status: response.status, message: error.message as string, param: error.param }
}

test('prompts times choices are counted before anything is made of them', async () => {
  const before = process.memoryUsage().heapUsed
  const many = await refusal(await complete({ prompt: Array(1000).fill('a'), n: 64 }))
  expect(many).toEqual({ status: 400, message: '64000 answers at once, the queue holds 128', param: 'n' })
  const ids = await refusal(await complete({ prompt: Array(1000).fill([1]), n: 64 }))
  expect(ids.message).toBe('64000 answers at once, the queue holds 128')
  // 16 MiB of prompts: as texts, as token ids, as one list of ids, as something else.
  const bodies = [
    `{"n": 64, "prompt": [${'"a",'.repeat(3.9 * MIB)}"a"]}`,
    `{"n": 64, "prompt": [${'[1],'.repeat(3.9 * MIB)}[1]]}`,
    `{"n": 64, "prompt": [${'1,'.repeat(7.9 * MIB)}1]}`,
    `{"n": 64, "prompt": [${'{},'.repeat(5.2 * MIB)}{}]}`,
  ]
  for (const body of bodies) {
    expect(await refusal(await complete(body))).toMatchObject({
      status: 400,
      message: 'the body is refused: more than 1048576 values',
    })
  }
  const wrong = await refusal(await complete(`{"prompt": [${'null,'.repeat(900_000)}null]}`))
  expect(wrong).toMatchObject({ status: 400, param: 'prompt', message: 'prompt: more than 1024 prompts' })
  const messages = `{"messages": [${'0,'.repeat(900_000)}0]}`
  expect(await refusal(await post(`${server.url}/v1/chat/completions`, messages))).toMatchObject({
    status: 400,
    param: 'messages',
  })
  const answers = `{"prompt": "x", "answers": [${'0,'.repeat(900_000)}0]}`
  expect(await refusal(await post(`${server.url}/rewards`, answers))).toMatchObject({
    status: 400,
    param: 'answers',
  })
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(600 * MIB)
})

test('a text of 15 MiB is refused after its beginning was read', async () => {
  const long = 'snow is white '.repeat(15 * 2 ** 16)
  const beginning = 'the first 65536 of 13762560 characters do not fit into the context of 128'
  expect(await refusal(await complete({ prompt: long }))).toMatchObject({ status: 400, message: beginning })
  const chat = await post(`${server.url}/v1/chat/completions`, {
    messages: [{ role: 'user', content: long }],
  })
  expect((await refusal(chat)).message).toMatch(/^the first 65536 of 137\d+ characters do not fit/)
  for (const [route, body] of [
    ['score', { text_1: long, text_2: 'x' }],
    ['score', { text_1: 'x', text_2: ['y', long] }],
    ['classify', { input: long }],
    ['predict', { inputs: long }],
    ['rewards', { prompt: 'x', answers: [long] }],
  ] as const) {
    const said = await refusal(await post(`${server.url}/${route}`, body))
    expect([said.status, said.message], route).toEqual([400, beginning])
  }
})

test('JSON that is nested 200,000 deep, keys that stand twice and bytes that are no UTF-8 are 400', async () => {
  const deep = `{"prompt": "x", "metadata": ${'['.repeat(200_000)}${']'.repeat(200_000)}}`
  const objects = `{"prompt": "x", "metadata": ${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}}`
  for (const body of [deep, objects, '['.repeat(200_000)]) {
    const said = await refusal(await complete(body))
    expect(said).toMatchObject({ status: 400, message: 'the body is refused: nested deeper than 32 levels' })
  }
  const twice = await refusal(await complete('{"prompt": "a", "max_tokens": 1, "prompt": "b"}'))
  expect(twice).toMatchObject({ status: 400, message: 'the body is refused: the key "prompt" stands twice' })
  const escaped = await refusal(await complete('{"prompt": "a", "\\u0070rompt": "b"}'))
  expect(escaped.message).toBe('the body is refused: the key "prompt" stands twice')
  const proto = await refusal(await complete('{"prompt": "a", "__proto__": {"n": 64}}'))
  expect(proto).toMatchObject({
    status: 400,
    message: 'the body is refused: the key "__proto__" is not allowed',
  })
  const bytes = Buffer.concat([
    Buffer.from('{"prompt": "'),
    Buffer.from([0xc3, 0x28, 0xff]),
    Buffer.from('"}'),
  ])
  const response = await fetch(`${server.url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: bytes,
  })
  expect(await refusal(response)).toMatchObject({ status: 400, message: 'the body is no UTF-8' })
})

const ask = (headers: Record<string, string>) =>
  new Promise<{ status?: number; body: string }>((resolve, reject) => {
    const sent = request(`${server.url}/v1/models`, { headers }, async (response) => {
      let body = ''
      for await (const chunk of response) body += chunk
      resolve({ status: response.statusCode, body })
    })
    sent.on('error', reject)
    sent.end()
  })

test.each([
  ['127.0.0.256', 400],
  ['127.0.0.256:8000', 400],
  ['127.0.0.1:99999', 400],
  ['[::1', 400],
  ['[::g]', 400],
  ['a b', 400],
  ['user@localhost', 400],
  ['localhost/x', 400],
  ['localhost#', 400],
  ['127.1', 403],
  ['0x7f.0.0.1', 403],
  ['localhost.evil.example', 403],
  ['127.0.0.1.evil.example', 403],
  ['evil.example', 403],
  ['LOCALHOST', 200],
  ['localhost:1', 200],
  ['127.255.255.255', 200],
  ['[::1]:8000', 200],
])('a request for the host %s is answered with %i', async (host, status) => {
  const response = await ask({ host })
  expect(response.status).toBe(status)
  if (status !== 200) expect(JSON.parse(response.body).error.message.length).toBeGreaterThan(5)
})

test('names are said back short and without control characters', async () => {
  const name = `\u001b[2J${'x'.repeat(100_000)}`
  const said = [
    await refusal(await complete({ prompt: 'x', [name]: 1 })),
    await refusal(await complete({ prompt: 'x', model: name })),
    await refusal(await fetch(`${server.url}/${'y'.repeat(8000)}`)),
    await refusal(await fetch(`${server.url}/v1/models/${'z'.repeat(8000)}`)),
    await refusal(await complete(`{"prompt": ${'x'.repeat(100_000)}}`)),
    await refusal(await complete(`{"${'k'.repeat(1e5)}": 1, "${'k'.repeat(1e5)}": 2}`)),
  ]
  for (const { message, param } of said) {
    expect(message.length).toBeLessThan(250)
    expect(`${message}${param}`).not.toContain('\u001b')
    expect((param ?? '').length).toBeLessThan(100)
  }
})

test('every answer forbids to be run, framed, guessed at or kept', async () => {
  const answers = [
    await fetch(`${server.url}/health`),
    await fetch(`${server.url}/nowhere`),
    await complete({ prompt: 'x', max_tokens: 1 }),
    await complete({ prompt: 'x', max_tokens: 1, stream: true }),
    await complete('no JSON'),
  ]
  for (const { headers } of answers) {
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control')).toMatch(/no-store|no-cache/)
  }
})
