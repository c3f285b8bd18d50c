import { afterAll, beforeAll, expect, test } from 'vitest'
import { generatePipeline } from '../../src/commands/generate/generate.js'
import { call, type Files, typed, writeFiles } from '../commands/eval-folder.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { events, json, post, type Serving, startServing } from './serving.js'

let files: Files
let server: Serving
let end: () => Promise<unknown>
beforeAll(async () => {
  files = await writeFiles(tempFolder('serve'))
  const values = { modelNameOrPath: files.model, servedModelName: 'tiny', maxNewTokens: 40, evalBatchSize: 4 }
  server = await startServing(values, (stop) => {
    end = stop
  })
}, 60_000)
afterAll(() => end())

const chat = (body: object) => post(`${server.url}/v1/chat/completions`, body)
const complete = (body: object) => post(`${server.url}/v1/completions`, body)
const ask = (content: string) => ({ model: 'tiny', messages: [{ role: 'user', content }] })

test('a chat answer is the one that clha generate gives, with its counts', async () => {
  const question = 'Which colour has the sky?'
  const { config, ui } = await call({ modelNameOrPath: files.model, prompt: question, maxNewTokens: 40 })
  const { answers } = (await generatePipeline(config, ui, typed())) as {
    answers: { answer: string; tokens: number; finishReason: string }[]
  }
  const said = await json(await chat(ask(question)))
  expect(said).toMatchObject({ object: 'chat.completion', model: 'tiny' })
  const [{ message, finish_reason }] = said.choices
  expect(message.role).toBe('assistant')
  expect(message.content.trimEnd()).toBe(answers[0].answer)
  expect(finish_reason).toBe(answers[0].finishReason)
  expect(said.usage.completion_tokens).toBe(answers[0].tokens)
  expect(said.usage.total_tokens).toBe(said.usage.prompt_tokens + said.usage.completion_tokens)
})

test('a stream adds up to the whole answer: roles, pieces, end, usage', async () => {
  for (const content of ['Which colour has the sky?', 'snow', 'grass', 'night']) {
    const whole = await json(await chat(ask(content)))
    const response = await chat({ ...ask(content), stream: true, stream_options: { include_usage: true } })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const chunks = await events(response)
    const last = chunks.pop()
    expect(last).toMatchObject({ choices: [], usage: whole.usage })
    expect(chunks[0].choices[0].delta).toEqual({ role: 'assistant', content: '' })
    expect(chunks.map((c) => c.choices[0].delta.content ?? '').join('')).toBe(
      whole.choices[0].message.content,
    )
    expect(chunks.map((c) => c.choices[0].finish_reason).filter((r) => r !== null)).toEqual([
      whole.choices[0].finish_reason,
    ])
    expect(new Set(chunks.map((c) => c.id)).size).toBe(1)
  }
})

test('a seed repeats sampled answers; n answers differ; without a seed requests differ', async () => {
  const body = { prompt: 'The sky', temperature: 1, max_tokens: 12, n: 3 }
  const texts = async (more: object) =>
    (await json(await complete({ ...body, ...more }))).choices.map((c: { text: string }) => c.text)
  const first = await texts({ seed: 5 })
  expect(new Set(first).size).toBe(3)
  expect(await texts({ seed: 5 })).toEqual(first)
  expect(await texts({ seed: 6 })).not.toEqual(first)
  expect(await texts({})).not.toEqual(await texts({}))
})

test('requests that run together get what each gets alone', async () => {
  const bodies = [
    { prompt: 'The sky', max_tokens: 20 },
    { prompt: 'snow is', max_tokens: 7, temperature: 0.9, seed: 1 },
    { prompt: ['coal', 'It is'], max_tokens: 9, temperature: 0.7, top_k: 5, seed: 2 },
    { prompt: 'grass', max_tokens: 15, stream: true },
    { prompt: 'blood', max_tokens: 3, top_p: 0.5, temperature: 2, seed: 3 },
  ]
  const read = async (body: (typeof bodies)[number]) => {
    const response = await complete(body)
    if (body.stream) return (await events(response)).map((c) => c.choices[0].text).join('')
    return (await json(response)).choices.map((c: { index: number; text: string }) => [c.index, c.text])
  }
  const alone: unknown[] = []
  for (const body of bodies) alone.push(await read(body))
  expect(await Promise.all(bodies.map(read))).toEqual(alone)
})

test('token ids continue as the text does; a stop text ends the answer', async () => {
  const { choices, usage } = await json(await complete({ prompt: 'The sky', max_tokens: 30 }))
  const { text } = choices[0]
  expect(choices[0].finish_reason).toBe('length')
  expect(usage.completion_tokens).toBe(30)
  const stop = text.slice(8, 10)
  const [stopped] = (await json(await complete({ prompt: 'The sky', max_tokens: 30, stop }))).choices
  expect(stopped).toMatchObject({ text: text.slice(0, text.indexOf(stop)), finish_reason: 'stop' })
  const { loadTokenizer } = await import('../../src/text/tokenizer.js')
  const { ids } = await (await loadTokenizer(files.model)).encode('The sky')
  expect((await json(await complete({ prompt: ids, max_tokens: 30 }))).choices[0].text).toBe(text)
})

test('the model is listed; health needs nothing', async () => {
  const { data } = await json(await fetch(`${server.url}/v1/models`))
  expect(data).toMatchObject([{ id: 'tiny', object: 'model', max_model_len: 128 }])
  expect(await json(await fetch(`${server.url}/health`))).toEqual({ status: 'ok' })
})

test('what cannot be done is refused in the shape of OpenAI, naming the field', async () => {
  const cases: [unknown, number, string | null, string][] = [
    ['{"messages": [', 400, null, 'the body is no JSON'],
    ['[]', 400, null, 'object'],
    [{ messages: [] }, 400, 'messages', ''],
    [{ ...ask('x'), temprature: 1 }, 400, 'temprature', 'unknown field "temprature"'],
    [{ ...ask('x'), logit_bias: { 1: 2 } }, 400, 'logit_bias', 'not supported'],
    [{ ...ask('x'), tools: [{}] }, 400, 'tools', 'not read into tool_calls'],
    [{ ...ask('x'), temperature: -1 }, 400, 'temperature', ''],
    [{ ...ask('x'), max_tokens: 500 }, 400, 'max_tokens', 'do not fit into the context of 128'],
    [{ ...ask('x '.repeat(300)) }, 400, 'max_tokens', 'do not fit'],
    [{ ...ask('x'), model: 'gpt' }, 404, 'model', 'no model "gpt" here'],
    [{ messages: [{ role: 'assistant', content: 'x' }] }, 400, 'messages', 'the last message'],
  ]
  for (const [body, status, param, message] of cases) {
    const response = await chat(body as object)
    expect(response.status, JSON.stringify(body)).toBe(status)
    const { error } = await json(response)
    expect(error.message).toContain(message)
    expect(error.param).toBe(param)
    expect(error.type).toBe('invalid_request_error')
  }
  expect(
    (await chat({ ...ask('x'), logprobs: false, tools: [], presence_penalty: 0, max_tokens: 1 })).status,
  ).toBe(200)
})

test('other routes, other hosts, other types and large bodies are refused', async () => {
  const { url } = server
  expect((await fetch(`${url}/`)).status).toBe(404)
  const score = await post(`${url}/score`, { text_1: 'a', text_2: 'b' })
  expect([score.status, (await json(score)).error.message]).toEqual([
    404,
    'no reward model is served: start with --reward-model',
  ])
  const { request } = await import('node:http')
  const status = await new Promise((resolve) => {
    request(`${url}/v1/models`, { headers: { host: 'evil.example:80' } }, (r) => resolve(r.statusCode)).end()
  })
  expect(status).toBe(403)
  expect((await post(`${url}/v1/completions`, '{}', { 'content-type': 'text/plain' })).status).toBe(415)
  const large = await post(`${url}/v1/completions`, { prompt: 'x'.repeat(17 * 2 ** 20) })
  expect(large.status).toBe(413)
  expect((await fetch(`${url}/health`)).headers.get('access-control-allow-origin')).toBeNull()
})
