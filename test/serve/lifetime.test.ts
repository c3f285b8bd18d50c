import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { main } from '../../src/cli/main.js'
import { EXIT } from '../../src/exit-codes.js'
import { ApiError } from '../../src/serve/api-error.js'
import { createApp } from '../../src/serve/app.js'
import { createEngine, type Engine } from '../../src/serve/engine.js'
import { listen } from '../../src/serve/server.js'
import { type Files, writeFiles } from '../commands/eval-folder.js'
import { damageToken, GREEDY, letters, loadTiny, recorded } from '../generate/tiny-model.js'
import { Sink } from '../helpers/sink.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { json, post, startServing } from './serving.js'

let files: Files
beforeAll(async () => {
  files = await writeFiles(tempFolder('serve-lifetime'))
}, 60_000)
const model = loadTiny()
afterAll(() => model.dispose())
const { prompts, greedy } = recorded()
const asked = (i: number) => ({ promptIds: prompts[i], name: String(i), options: GREEDY })

test('a request that is given up makes room, waiting or running; others go on', async () => {
  const engine = createEngine(model, letters, { slots: 1, contextLength: 32, maxQueue: 3 })
  const gone = [new AbortController(), new AbortController()]
  let seen = 0
  const text = () => {
    seen += 1
    if (seen === 3) for (const controller of gone) controller.abort()
  }
  const [running] = engine.submit([{ ...asked(0), text }], gone[0].signal)
  const [waiting] = engine.submit([asked(1)], gone[1].signal)
  const [last] = engine.submit([asked(2)], new AbortController().signal)
  await expect(running).rejects.toThrow('given up')
  await expect(waiting).rejects.toThrow('given up')
  expect((await last).ids).toEqual(greedy[2])
  expect(seen).toBe(3)
  engine.dispose()
})

test('a full queue says so at once, and takes in either all answers of a request or none', async () => {
  const engine = createEngine(model, letters, { slots: 1, contextLength: 32, maxQueue: 2 })
  const { signal } = new AbortController()
  const first = engine.submit([asked(0), asked(1)], signal)
  expect(() => engine.submit([asked(2), asked(0)], signal)).toThrow(ApiError)
  expect(() => engine.submit([asked(2), asked(0), asked(1)], signal)).toThrow('the queue holds 2')
  expect((await Promise.all(first)).map(({ ids }) => ids)).toEqual(greedy.slice(0, 2))
  expect((await Promise.all(engine.submit([asked(2)], signal)))[0].ids).toEqual(greedy[2])
  engine.dispose()
})

test('an error while decoding reaches every request; the next one starts anew', async () => {
  const engine = createEngine(model, letters, { slots: 2, contextLength: 32, maxQueue: 4 })
  const { signal } = new AbortController()
  const text = () => {
    throw new Error('the hook failed')
  }
  const all = engine.submit([{ ...asked(0), text }, asked(1)], signal)
  for (const answer of all) await expect(answer).rejects.toThrow('the hook failed')
  expect((await engine.submit([asked(1)], signal)[0]).ids).toEqual(greedy[1])
  engine.dispose()
})

test('a request whose logits are not finite fails with its other answers; others go on', async () => {
  const damaged = loadTiny()
  const unused = damageToken(damaged, [...prompts.flat(), ...greedy.flat()])
  const engine = createEngine(damaged, letters, { slots: 4, contextLength: 32, maxQueue: 4 })
  const { signal } = new AbortController()
  const [other] = engine.submit([asked(0)], signal)
  const bad = { ...asked(1), promptIds: [...prompts[1], unused] }
  const [failed, sibling] = engine.submit([bad, asked(2)], signal)
  await expect(failed).rejects.toThrow('logits of the model are not finite')
  await expect(sibling).rejects.toThrow('given up')
  expect((await other).ids).toEqual(greedy[0])
  engine.dispose()
  damaged.dispose()
})

/** An app whose engine never answers; `signals` are those that it was given. */
async function silent(maxBody = 1000) {
  const signals: AbortSignal[] = []
  const engine: Engine = {
    submit: (requests, signal) => {
      signals.push(signal)
      for (const { text } of requests) text?.('begun')
      return requests.map(() => new Promise(() => {}))
    },
    abort: () => {},
    dispose: () => {},
  }
  const defaults = { maxNewTokens: 4, temperature: 0, topK: 0, topP: 1, samples: 1, stopIds: [] }
  const tokenizer = { ...letters, vocabSize: 99 }
  const lm = {
    name: 'm',
    tokenizer,
    engine,
    defaults,
    stops: [],
    contextLength: 32,
    template: { name: 'plain' },
  }
  const app = createApp({
    // biome-ignore lint/suspicious/noExplicitAny: only what these requests touch
    lm: lm as any,
    loopback: true,
    maxBody,
    stopping: () => false,
    created: 0,
  })
  return { server: await listen(app, '127.0.0.1', 0), signals }
}

for (const stream of [false, true]) {
  test(`a client that leaves cancels its request (stream: ${stream})`, async () => {
    const { server, signals } = await silent()
    const client = new AbortController()
    const body = { prompt: [1, 2], stream }
    const response = post(`${server.url}/v1/completions`, body, {}, client.signal)
    response.catch(() => {})
    if (stream) {
      const { value } = await (await response).body!.getReader().read()
      expect(Buffer.from(value!).toString()).toContain('"text":"begun"')
    }
    await expect.poll(() => signals.length).toBe(1)
    expect(signals[0].aborted).toBe(false)
    client.abort()
    await expect.poll(() => signals[0].aborted).toBe(true)
    expect(await server.stop(2000, () => {})).toBe(true)
  })
}

test('a body without a declared length is limited too', async () => {
  const { server } = await silent(1000)
  const { request } = await import('node:http')
  const status = await new Promise((resolve, reject) => {
    const options = { method: 'POST', headers: { 'content-type': 'application/json' } }
    const sent = request(`${server.url}/v1/completions`, options, (r) => resolve(r.statusCode))
    sent.on('error', reject)
    for (let i = 0; i < 10; i++) sent.write(' '.repeat(400))
    sent.end()
  })
  expect(status).toBe(413)
  await server.stop(0, () => {})
})

test('SIGTERM lets a request finish, takes no other, and ends in 143', async () => {
  const { url, terminate, ended } = await startServing({ modelNameOrPath: files.model })
  const events = await post(`${url}/v1/completions`, { prompt: 'The sky', max_tokens: 40, stream: true })
  terminate()
  const text = await events.text()
  expect(text).toContain('"finish_reason":"length"')
  expect(await ended).toEqual({ url, finished: true, exitCode: EXIT.terminated })
  await expect(fetch(`${url}/health`)).rejects.toThrow()
})

test('what outlasts the grace period is given up and told so', async () => {
  const { url, terminate, ended } = await startServing({ modelNameOrPath: files.model, gracePeriod: 0 })
  const events = await post(`${url}/v1/completions`, { prompt: 'The sky', max_tokens: 120, stream: true })
  terminate()
  expect(await ended).toMatchObject({ finished: false })
  expect(await events.text()).toContain('the request was given up')
})

test('beyond this machine only with a key, which every request has to bring', async () => {
  await expect(startServing({ modelNameOrPath: files.model, host: '0.0.0.0' })).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringContaining('everybody who reaches this address'),
  })
  const missing = startServing({ modelNameOrPath: files.model, apiKeyEnv: 'CLHA_TEST_NO_KEY' })
  await expect(missing).rejects.toThrow('the environment has no CLHA_TEST_NO_KEY')
  const misplaced = startServing({ modelNameOrPath: files.model, apiKeyEnv: 'sk-secret-123' })
  await expect(misplaced).rejects.toThrow(/^(?!.*sk-secret).*never the secret itself/)
  process.env.CLHA_TEST_KEY = 'open sesame'
  const { url } = await startServing({
    rewardModel: files.reward,
    maxNewTokens: undefined,
    host: '0.0.0.0',
    apiKeyEnv: 'CLHA_TEST_KEY',
  })
  const local = url.replace('0.0.0.0', '127.0.0.1')
  const score = (authorization?: string) =>
    post(`${local}/score`, { text_1: 'a', text_2: 'b' }, authorization ? { authorization } : {})
  expect((await score()).status).toBe(401)
  expect((await score('Bearer open')).status).toBe(401)
  expect((await json(await score('Bearer nope'))).error.code).toBe('invalid_api_key')
  expect((await score('Bearer open sesame')).status).toBe(200)
})

test('a taken port is said to be taken', async () => {
  const { server } = await silent()
  const port = Number(new URL(server.url).port)
  await expect(
    listen(createApp({ loopback: true, maxBody: 1, stopping: () => false, created: 0 }), '127.0.0.1', port),
  ).rejects.toMatchObject({
    exitCode: EXIT.busy,
  })
  await server.stop(0, () => {})
})

test('the command says where it listens, and ends in 130 at Ctrl-C', async () => {
  const [stdout, stderr] = [new Sink(), new Sink()]
  const io = { stdin: Readable.from([]), stdout, stderr, env: {}, exit: () => {} }
  const code = main(['serve', '--reward-model', files.reward, '--port', '0', '--threads', '1'], io)
  await expect.poll(() => /serving on (http:\S+)/.exec(stdout.text)?.[1], { timeout: 30_000 }).toBeDefined()
  const url = /serving on (http:\S+)/.exec(stdout.text)?.[1]
  expect((await fetch(`${url}/health`)).status).toBe(200)
  process.emit('SIGINT')
  expect(await code).toBe(EXIT.interrupted)
  expect(stdout.text + stderr.text).toContain(
    'no further requests; those under way have 30 s to finish … (Ctrl-C again: at once)',
  )
})
