// A server under a flood: as many requests as a busy day has, and memory that does not grow with them.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, writeFiles } from '../commands/eval-folder.js'
import { events, json, post, type Serving, startServing } from '../serve/serving.js'
import { tempFolder } from '../text/tiny-tokenizer.js'

let files: Files
let server: Serving
let end: () => Promise<unknown>
beforeAll(async () => {
  files = await writeFiles(tempFolder('serve-flood'))
  const values = { modelNameOrPath: files.model, rewardModel: files.reward, evalBatchSize: 8, maxQueue: 32 }
  server = await startServing(values, (stop) => {
    end = stop
  })
})
afterAll(() => end())

const MIB = 2 ** 20
const memory = () => {
  globalThis.gc?.()
  return process.memoryUsage.rss()
}

/** Requests one after the other in so many lanes; how often each status came. */
async function flood(count: number, lanes: number, ask: (i: number) => Promise<Response>) {
  const seen: Record<number, number> = {}
  let next = 0
  const lane = async () => {
    while (next < count) {
      const response = await ask(next++)
      await response.arrayBuffer()
      seen[response.status] = (seen[response.status] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return seen
}

/** Good ones, refused ones, large ones and those whose client leaves. */
async function one(i: number): Promise<Response> {
  const complete = (body: unknown, signal?: AbortSignal) =>
    post(`${server.url}/v1/completions`, body, {}, signal)
  if (i % 50 === 7) return complete({ prompt: 'snow '.repeat(MIB), n: 64 })
  if (i % 10 === 1) return complete({ prompt: 'x', nonsense: i })
  if (i % 10 === 2) return post(`${server.url}/score`, { text_1: 'sky', text_2: ['blue', `no ${i}`] })
  if (i % 10 === 3) {
    const client = new AbortController()
    setTimeout(() => client.abort(), 5)
    const left = complete({ prompt: 'The sky', max_tokens: 100, stream: true }, client.signal)
    return left.then(async (r) => new Response(await r.arrayBuffer())).catch(() => Response.error())
  }
  return complete({ prompt: `It is ${i}`, max_tokens: 4, n: 2, temperature: 1 })
}

test('2,000 requests leave memory where it was; none is a fault of the server', async () => {
  await flood(400, 16, one)
  const before = memory()
  const seen = await flood(2000, 16, one)
  expect(memory() - before).toBeLessThan(150 * MIB)
  expect(Object.values(seen).reduce((a, b) => a + b, 0)).toBe(2000)
  expect(seen[200]).toBeGreaterThan(1200)
  expect(seen[400]).toBe(240)
  expect(Object.keys(seen).filter((status) => !['0', '200', '400', '429'].includes(status))).toEqual([])
  expect(server.screen()).not.toContain('a request failed')
  expect(await json(await fetch(`${server.url}/health`))).toEqual({ status: 'ok' })
})

test('64 streams at once: those that find room are whole, the others are told to come back', async () => {
  const ask = (i: number) =>
    post(`${server.url}/v1/completions`, { prompt: `snow ${i}`, max_tokens: 100, stream: true })
  const round = async () => {
    const responses = await Promise.all(Array.from({ length: 64 }, (_, i) => ask(i)))
    const taken = responses.filter(({ status }) => status === 200)
    for (const refused of responses.filter(({ status }) => status !== 200)) {
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
      await refused.arrayBuffer()
    }
    const chunks = await Promise.all(taken.map(events))
    for (const stream of chunks) {
      expect(stream.at(-1).choices[0].finish_reason).toMatch(/^(stop|length)$/)
    }
    return taken.length
  }
  expect(await round()).toBeGreaterThanOrEqual(32)
  const before = memory()
  for (let i = 0; i < 5; i++) await round()
  expect(memory() - before).toBeLessThan(100 * MIB)
})
