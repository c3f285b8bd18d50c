// What OpenAI's clients send that other servers take: histories as they came, neutral fields, log-probabilities.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatFields, dialogueOf } from '../../src/serve/request-fields.js'
import { chatTemplate } from '../../src/text/template.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { type Files, writeFiles } from '../commands/eval-folder.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { events, json, post, type Serving, startServing } from './serving.js'

let files: Files
let server: Serving
let end: () => Promise<unknown>
beforeAll(async () => {
  files = await writeFiles(tempFolder('serve-clients'))
  const values = { modelNameOrPath: files.model, servedModelName: 'runs/tiny', evalBatchSize: 4 }
  server = await startServing(values, (stop) => {
    end = stop
  })
}, 60_000)
afterAll(() => end())

const chat = (body: object) => post(`${server.url}/v1/chat/completions`, { max_tokens: 4, ...body })
const complete = (body: object) => post(`${server.url}/v1/completions`, { max_tokens: 4, ...body })
const question = { role: 'user', content: 'Hi' }
const ask = { messages: [question] }

const answered = { role: 'assistant', content: 'Hello.' }
const plain = [question, answered, { role: 'user', content: 'More' }]

test('a history as a client gives it back: what is null or empty says nothing', async () => {
  const right = await json(await chat({ messages: plain }))
  const openai = { refusal: null, annotations: null, audio: null, function_call: null, tool_calls: null }
  const others = [
    openai,
    { refusal: null, annotations: [], tool_calls: [] },
    { reasoning_content: null, reasoning: null, reasoning_details: [], provider_specific_fields: null },
    { name: 'clha', cache_control: { type: 'ephemeral' } },
  ]
  for (const more of others) {
    const response = await chat({ messages: [question, { ...answered, ...more }, plain[2]] })
    expect(response.status, JSON.stringify(more)).toBe(200)
    const { choices, usage } = await json(response)
    expect(choices).toEqual(right.choices)
    expect(usage).toEqual(right.usage)
  }
  const parts = [{ type: 'text', text: 'Hello.', cache_control: { type: 'ephemeral' } }]
  const inParts = await json(await chat({ messages: [question, { ...answered, content: parts }, plain[2]] }))
  expect(inParts.choices).toEqual(right.choices)
  const tool = { role: 'tool', tool_call_id: 'call_1', content: '12' }
  expect((await chat({ messages: [question, answered, tool] })).status).toBe(200)
})

test('what is set and can not be shown to the model is refused by its name', async () => {
  const calls = [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }]
  const cases: [object, string][] = [
    // The dialogue format of this model writes neither calls nor thoughts.
    [{ ...answered, tool_calls: calls }, 'messages'],
    [{ role: 'assistant', content: null, tool_calls: calls }, 'messages'],
    [{ ...answered, tool_calls: 'f()' }, 'messages.1.tool_calls'],
    [{ ...answered, refusal: 'No.' }, 'messages.1.refusal'],
    [{ ...answered, reasoning_content: 'Let me see' }, 'messages'],
    [{ ...answered, mood: 'good' }, 'messages.1.mood'],
    [{ role: 'assistant', content: null }, 'messages.1.content'],
  ]
  for (const [message, param] of cases) {
    const response = await chat({ messages: [question, message, plain[2]] })
    expect([response.status, (await json(response)).error.param]).toEqual([400, param])
  }
})

test('calls, their answers, thoughts and tools are shown to a template that writes them', async () => {
  const writes =
    '{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}<{{ m.role }}{% if m.name %} {{ m.name }}{% endif %}>{% if m.reasoning_content %}({{ m.reasoning_content }}){% endif %}{{ m.content }}{% for c in m.tool_calls or [] %}{{ c.function.name }} {{ c.function.arguments.city }}{% endfor %}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}'
  const template = await chatTemplate(await loadTokenizer(files.model), writes)
  const text = (body: object) => template.prompt(dialogueOf(chatFields.parse(body)))
  const calls = [{ id: '1', type: 'function', function: { name: 'weather', arguments: '{"city": "Oslo"}' } }]
  const turns = [
    { role: 'assistant', content: null, reasoning: 'hm', tool_calls: calls },
    { role: 'tool', name: 'weather', tool_call_id: '1', content: '3 C' },
  ]
  expect(text({ messages: [question, ...turns] })).toBe(
    '<user>Hi<assistant>(hm)weather Oslo<tool weather>3 C<assistant>',
  )
  const tools = [{ type: 'function' }]
  expect(text({ messages: [question], tools, tool_choice: 'none' })).toBe(
    '[{"type": "function"}]<user>Hi<assistant>',
  )
})

test('fields that change nothing are taken', async () => {
  const { choices } = await json(await chat(ask))
  const neutral: object[] = [
    { reasoning_effort: null, verbosity: null, functions: null, tools: null, anything: null },
    { reasoning_effort: 'none', chat_template_kwargs: {}, response_format: { type: 'text' } },
    { chat_template_kwargs: null, response_format: null, logprobs: false, top_logprobs: 0 },
    { user: 'u', metadata: { a: 'b' }, store: false, service_tier: 'auto', prompt_cache_retention: '24h' },
    { stream_options: null, seed: 2 ** 63, n: 1 },
    { seed: -5 },
  ]
  for (const more of neutral) {
    const response = await chat({ ...ask, ...more })
    expect(response.status, JSON.stringify(more)).toBe(200)
    expect((await json(response)).choices).toEqual(choices)
  }
})

test('what would need more than is here is refused with its reason', async () => {
  const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } }
  const picture = { type: 'image_url', image_url: { url: 'data:,' } }
  const schema = { type: 'json_schema', json_schema: { name: 'x', schema: {} } }
  const cases: [object, string, string][] = [
    [{ response_format: schema }, 'response_format', 'not held to a JSON schema'],
    [{ response_format: { type: 'json_object' } }, 'response_format', 'only {"type": "text"}'],
    [{ reasoning_effort: 'high' }, 'reasoning_effort', 'not supported'],
    [{ chat_template_kwargs: { enable_thinking: false } }, 'chat_template_kwargs', 'not supported'],
    [{ top_logprobs: 2 }, 'top_logprobs', 'needs logprobs: true'],
    [{ logprobs: true, top_logprobs: 21 }, 'top_logprobs', '20'],
    [{ seed: 1.5 }, 'seed', 'no whole number'],
    [{ max_tokens: 4, max_completion_tokens: 2 }, 'max_completion_tokens', 'another number than max_tokens'],
    [{ stop: [1] }, 'stop', 'a text of 1 to 256 characters, or a list of at most 16'],
    [{ stop: new Array(17).fill('a') }, 'stop', 'a list of at most 16'],
    [{ messages: [{ role: 'user', content: [picture] }] }, 'messages.0.content', 'pictures, sound and files'],
    [{ tools: [tool] }, 'tools', 'not read into tool_calls'],
    [{ tools: [tool], tool_choice: 'auto' }, 'tools', 'not read into tool_calls'],
    [{ tools: [tool], tool_choice: 'none' }, 'messages', 'leaves out the tools'],
  ]
  for (const [more, param, reason] of cases) {
    const response = await chat({ ...ask, ...more })
    const { error } = await json(response)
    expect([response.status, error.param, error.message]).toEqual([
      400,
      param,
      expect.stringContaining(reason),
    ])
  }
})

test('log-probabilities of a completion are a number, and another type is told so', async () => {
  const { error } = await json(await complete({ prompt: 'The sky', logprobs: true }))
  expect([error.param, error.message]).toEqual([
    'logprobs',
    'logprobs: has to be a whole number from 0 to 20',
  ])
})

test('a seed above 2^53 repeats its answer', async () => {
  const text = async (seed: string) => {
    const body = `{"prompt": "The sky", "temperature": 1, "max_tokens": 12, "seed": ${seed}}`
    return (await json(await post(`${server.url}/v1/completions`, body))).choices[0].text
  }
  expect(await text('18446744073709551615')).toBe(await text('18446744073709551615'))
  expect(await text('18446744073709551615')).not.toBe(await text('9223372036854775807'))
})

test('a model is found by its name; slashes at the end or twice lead to the same place', async () => {
  const one = { id: 'runs/tiny', object: 'model', max_model_len: 128, owned_by: 'clha' }
  for (const path of ['/v1/models/runs/tiny', '/v1/models/runs%2Ftiny', '/v1/models/runs/tiny/']) {
    expect(await json(await fetch(server.url + path)), path).toMatchObject(one)
  }
  const other = await fetch(`${server.url}/v1/models/gpt-4`)
  expect([other.status, (await json(other)).error.code]).toEqual([404, 'model_not_found'])
  for (const path of ['/v1/models/', '/v1//models', '//v1/models', '/v1/models?limit=1']) {
    expect((await json(await fetch(server.url + path))).data, path).toMatchObject([one])
  }
  expect((await post(`${server.url}/v1/chat/completions/`, { ...ask, max_tokens: 1 })).status).toBe(200)
  expect((await post(`${server.url}/v1//completions`, { prompt: 'x', max_tokens: 1 })).status).toBe(200)
})

test('log-probabilities of a chat: each token with its bytes and its rivals; a stream has the same ones', async () => {
  const body = { ...ask, max_tokens: 6, logprobs: true, top_logprobs: 2 }
  const { choices, usage } = await json(await chat(body))
  const { content } = choices[0].logprobs
  expect(content).toHaveLength(usage.completion_tokens)
  for (const { token, bytes, logprob, top_logprobs } of content) {
    if (bytes !== null) expect(Buffer.from(bytes).toString()).toBe(token)
    expect(logprob).toBeLessThanOrEqual(0)
    // Greedy: the chosen token is the likeliest.
    expect(top_logprobs[0]).toEqual({ token, bytes, logprob })
    expect(top_logprobs).toHaveLength(2)
    expect(top_logprobs[1].logprob).toBeLessThanOrEqual(logprob)
  }
  const chunks = await events(await chat({ ...body, stream: true }))
  const streamed = chunks.flatMap((chunk) => chunk.choices[0].logprobs?.content ?? [])
  expect(streamed.map(({ token }: { token: string }) => token)).toEqual(
    content.map(({ token }: { token: string }) => token),
  )
  expect((await json(await chat(ask))).choices[0].logprobs).toBeNull()
})

test('log-probabilities of a completion stand at the places of their tokens', async () => {
  const { choices } = await json(await complete({ prompt: 'The sky', max_tokens: 8, logprobs: 1 }))
  const [{ text, logprobs }] = choices
  const { tokens, token_logprobs, top_logprobs, text_offset } = logprobs
  expect(tokens.join('')).toBe(text)
  for (const [i, token] of tokens.entries()) {
    expect(text.slice(text_offset[i], text_offset[i] + token.length)).toBe(token)
    expect(top_logprobs[i]).toEqual({ [token]: token_logprobs[i] })
  }
})

test('obfuscation pads every chunk of a stream to whole blocks, and only where it is asked for', async () => {
  const stream = async (include_obfuscation?: boolean) =>
    events(await chat({ ...ask, stream: true, stream_options: { include_usage: true, include_obfuscation } }))
  for (const chunk of await stream(true)) {
    expect(chunk.obfuscation.length).toBeGreaterThan(0)
    expect((Buffer.byteLength(JSON.stringify(chunk)) - ',"obfuscation":""'.length) % 64).toBe(0)
  }
  for (const asked of [false, undefined]) {
    for (const chunk of await stream(asked)) expect(chunk).not.toHaveProperty('obfuscation')
  }
})
