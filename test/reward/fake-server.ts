/** An HTTP server that answers as a test says, and remembers what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Example } from '../../src/data/example.js'
import { type EndpointOptions, openEndpoint } from '../../src/reward/endpoint.js'

export interface Asked {
  path: string
  headers: IncomingMessage['headers']
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of any shape
  body: any
}

export type Answer = (asked: Asked, response: ServerResponse, n: number) => unknown

/** What `answer` returns is sent as JSON, unless it has answered itself. */
export async function fakeServer(answer: Answer): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const seen = {
      path: request.url ?? '',
      headers: request.headers,
      body: JSON.parse(Buffer.concat(chunks).toString() || '{}'),
    }
    asked.push(seen)
    const value = await answer(seen, response, asked.length)
    if (value !== undefined) response.setHeader('content-type', 'application/json').end(JSON.stringify(value))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

export const endpoint = (options: Partial<EndpointOptions> & { url: string }) =>
  openEndpoint({ type: 'auto', concurrency: 4, timeoutMs: 5000, retries: 3, backoffMs: 1, ...options })

/** One question with the given answers. */
export const example = (row: number, answers: string[], prompt?: Example['prompt']): Example => ({
  id: String(row),
  prompt: prompt ?? [{ role: 'user', content: `question ${row}` }],
  candidates: answers.map((text) => ({ text })),
  preferences: [],
  source: '',
  file: 'data.jsonl',
  row,
})

/** The reward of a text in these tests: its length. */
export const lengths = (answers: readonly string[]): number[] => answers.map((text) => text.length)
