import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { EXIT } from '../../src/exit-codes.js'
import { openEndpoint } from '../../src/reward/endpoint.js'
import { scoreByEndpoint } from '../../src/reward/endpoint-score.js'
import { openScoreCache } from '../../src/reward/score-cache.js'
import { temporaryFolder } from '../helpers/folders.js'
import { endpoint, example, fakeServer, lengths } from './fake-server.js'

const rewards = ({ body }: { body: { answers: string[] } }) => ({ rewards: lengths(body.answers) })
const TWO = [example(1, ['a', 'bb']), example(2, ['ccc', 'dddd'])]

test('a server that fails, is busy or cuts its answer short is asked again', async () => {
  const { url, asked } = await fakeServer((a, response, n) => {
    if (n === 1) return void response.writeHead(500).end('broken')
    if (n === 2) return void response.writeHead(429, { 'retry-after': '0.05' }).end()
    if (n === 3) {
      response.writeHead(200, { 'content-length': '100' }).write('{"rewards": [')
      return void setTimeout(() => response.destroy(), 5)
    }
    return rewards(a)
  })
  const scored = await scoreByEndpoint([TWO[0]], endpoint({ url: `${url}/rewards` }))
  expect(scored.rewards).toEqual([[1, 2]])
  expect(asked).toHaveLength(4)
})

test('Retry-After is waited for', async () => {
  const times: number[] = []
  const { url } = await fakeServer((a, response, n) => {
    times.push(performance.now())
    return n === 1 ? void response.writeHead(503, { 'retry-after': '0.2' }).end() : rewards(a)
  })
  await scoreByEndpoint([TWO[0]], endpoint({ url: `${url}/rewards` }))
  expect(times[1] - times[0]).toBeGreaterThan(190)
})

test('a server that stays busy ends in exit 4, naming row, address and attempts', async () => {
  const { url, asked } = await fakeServer((_, response) => void response.writeHead(503).end('overloaded'))
  const failing = scoreByEndpoint([TWO[0]], endpoint({ url: `${url}/rewards?key=hush`, retries: 2 }))
  await expect(failing).rejects.toMatchObject({
    exitCode: EXIT.resources,
    message: `data.jsonl:1: reward endpoint ${url}/rewards: HTTP 503: overloaded (3 attempts)`,
  })
  expect(asked).toHaveLength(3)
})

test('a slow server runs into the timeout', async () => {
  const { url } = await fakeServer((_, response) => void setTimeout(() => response.end('{}'), 2000))
  const failing = scoreByEndpoint([TWO[0]], endpoint({ url: `${url}/rewards`, timeoutMs: 50, retries: 1 }))
  await expect(failing).rejects.toThrow('no answer within 0.05 s (2 attempts)')
})

test('a wrong request is not repeated; the message of the server is shown, the token never', async () => {
  const { url, asked } = await fakeServer(
    ({ headers }, response) =>
      void response
        .writeHead(401)
        .end(JSON.stringify({ error: { message: `bad key ${headers.authorization}` } })),
  )
  const failing = scoreByEndpoint([TWO[0]], endpoint({ url: `${url}/rewards`, token: 's3cret' }))
  await expect(failing).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringContaining('HTTP 401: bad key Bearer ***'),
    hint: expect.stringContaining('reward_endpoint_token_env'),
  })
  expect(asked).toHaveLength(1)
  expect(asked[0].headers.authorization).toBe('Bearer s3cret')
})

test('wrong counts, wrong shapes and rewards that are no numbers are errors at once', async () => {
  const raw = (text: string) => fakeServer((_, response) => void response.end(text))
  for (const [text, message, exitCode] of [
    ['{"rewards": [1]}', '1 reward came back for 2 answers', EXIT.usage],
    ['{"rewards": [1, null]}', 'rewards.1: ', EXIT.usage],
    ['{"rewards": [1, 1e999]}', 'rewards.1: ', EXIT.usage],
    ['{"rewards": [1, NaN]}', 'a number is NaN', EXIT.numerics],
    ['{"scores": [1, 2]}', 'unexpected answer: rewards: ', EXIT.usage],
  ] as const) {
    const { url, asked } = await raw(text)
    const failing = scoreByEndpoint([TWO[0]], endpoint({ url: `${url}/rewards` }))
    await expect(failing).rejects.toMatchObject({ exitCode, message: expect.stringContaining(message) })
    expect(asked).toHaveLength(1)
  }
})

test('redirects are followed on the same host with their method, and nowhere else', async () => {
  const other = await fakeServer(rewards)
  const { url, asked } = await fakeServer((a, response) => {
    if (a.path === '/away/rewards')
      return void response.writeHead(307, { location: `${other.url}/rewards` }).end()
    if (a.path === '/old/rewards') return void response.writeHead(302, { location: '/rewards' }).end()
    if (a.path === '/moved/rewards') return void response.writeHead(308, { location: '/rewards' }).end()
    return rewards(a)
  })
  const from = (path: string) => scoreByEndpoint([TWO[0]], endpoint({ url: `${url}${path}`, token: 't' }))
  await expect(from('/away/rewards')).rejects.toThrow(`redirects (307) to ${other.url}/rewards`)
  await expect(from('/old/rewards')).rejects.toThrow('which is not followed')
  expect((await from('/moved/rewards')).rewards).toEqual([[1, 2]])
  expect(other.asked).toHaveLength(0)
  expect(asked.at(-1)?.path).toBe('/rewards')
})

test('an endless answer is cut off', async () => {
  const { url } = await fakeServer((_, response) => {
    const chunk = Buffer.alloc(2 ** 20, 0x20)
    const more = () => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', more)
    }
    more()
  })
  await expect(scoreByEndpoint([TWO[0]], endpoint({ url: `${url}/rewards` }))).rejects.toThrow(
    'larger than 16 MiB',
  )
})

test('nothing listens: exit 4', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  const gone = endpoint({ url: `http://127.0.0.1:${port}/rewards`, retries: 0 })
  await expect(scoreByEndpoint([TWO[0]], gone)).rejects.toMatchObject({
    exitCode: EXIT.resources,
    message: expect.stringContaining('connection refused'),
  })
})

test('what was scored before a failure is kept: the next run asks for the rest alone', async () => {
  const dir = temporaryFolder()
  let broken = true
  const { url, asked } = await fakeServer((a, response) => {
    if (broken && a.body.answers[0] === 'ccc') return void response.writeHead(400).end('no')
    return rewards(a)
  })
  const server = endpoint({ url: `${url}/rewards`, concurrency: 1 })
  const run = async () => {
    const cache = openScoreCache(dir, server.identity)
    return scoreByEndpoint(TWO, server, { cache }).finally(() => cache.close())
  }
  await expect(run()).rejects.toThrow('data.jsonl:2')
  broken = false
  const again = await run()
  expect(again).toMatchObject({
    cached: 2,
    rewards: [
      [1, 2],
      [3, 4],
    ],
  })
  expect(asked.map(({ body }) => body.answers)).toEqual([
    ['a', 'bb'],
    ['ccc', 'dddd'],
    ['ccc', 'dddd'],
  ])
  expect(existsSync(dir) && readFileSync(join(dir, readdirSync(dir)[0]), 'utf8').split('\n')).toHaveLength(5)
})

test('another address, model or rubric makes other scores', () => {
  const base = { url: 'http://h/v1', model: 'm', rubric: 'r' }
  const identities = [
    base,
    { ...base, url: 'http://i/v1' },
    { ...base, model: 'n' },
    { ...base, rubric: 's' },
  ]
  expect(new Set(identities.map((o) => endpoint(o).identity)).size).toBe(4)
  expect(endpoint({ ...base, concurrency: 9, token: 'x' }).identity).toBe(endpoint(base).identity)
})

test('a stop request gives up what is under way and keeps what came back', async () => {
  let [stop, givenUp] = [false, false]
  const { url } = await fakeServer((a, response) => {
    if (a.body.answers[0] === 'a') return rewards(a)
    stop = true
    // It never answers: who waited for it would wait until the test is given up.
    return void response.on('close', () => (givenUp = true))
  })
  const scored = await scoreByEndpoint(TWO, endpoint({ url: `${url}/rewards`, concurrency: 1 }), {
    stopRequested: () => stop,
  })
  expect(scored.rewards).toEqual([
    [1, 2],
    [undefined, undefined],
  ])
  await vi.waitFor(() => expect(givenUp).toBe(true))
})

test('no more requests run at a time than asked for', async () => {
  let running = 0
  let most = 0
  const { url } = await fakeServer(async (a) => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, 10))
    running -= 1
    return rewards(a)
  })
  const many = Array.from({ length: 12 }, (_, i) => example(i, ['x', 'yy']))
  const scored = await scoreByEndpoint(many, endpoint({ url: `${url}/rewards`, concurrency: 3 }))
  expect(scored.rewards).toEqual(many.map(() => [1, 2]))
  expect(most).toBe(3)
})

test('addresses that are none, hold secrets or say nothing are refused', () => {
  const open = (url: string) => () =>
    openEndpoint({ url, type: 'auto', concurrency: 1, timeoutMs: 1, retries: 0 })
  expect(open('file:///etc/passwd')).toThrow('not an http:// or https:// address')
  expect(open('127.0.0.1:8000/score')).toThrow('not an http:// or https:// address')
  expect(open(`http://${'me:secret'}@host/score`)).toThrow('holds a user name or a password')
  expect(open('http://host/else')).toThrow('can\'t be told from the path "/else"')
})
