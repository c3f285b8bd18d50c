/** `clha serve` on tiny models, as a test drives it. */
import { EventEmitter } from 'node:events'
import { onTestFinished } from 'vitest'
import { type ServeResult, serve } from '../../src/commands/serve/serve.js'
import { listenForStop, stopExitCode } from '../../src/terminal/signals.js'
import { call, typed } from '../commands/eval-folder.js'

export interface Serving {
  url: string
  screen(): string
  /** Asks it to stop, as SIGTERM does. */
  terminate(): void
  /** Settles when it has stopped. */
  ended: Promise<ServeResult & { exitCode?: number }>
}

/** @param atEnd called with a way to end it; the end of the test when left out */
export async function startServing(
  values: Record<string, unknown>,
  atEnd: (end: () => Promise<void>) => void = onTestFinished,
): Promise<Serving> {
  const { config, ui, screen } = await call({ port: 0, ...values })
  const source = new EventEmitter()
  const quit = listenForStop({ say: () => {}, exit: () => {}, source })
  const ended = serve(config, ui, typed())
    .then((result) => ({ ...(result as ServeResult), exitCode: stopExitCode() }))
    .finally(quit)
  const terminate = () => void source.emit('SIGTERM')
  atEnd(async () => {
    terminate()
    await ended.catch(() => {})
  })
  let url: string | undefined
  while (url === undefined) {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 10))])
    url = /serving on (\S+)/.exec(screen())?.[1]
  }
  return { url, screen, terminate, ended }
}

export const post = (
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal,
  })

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
export const json = async (response: Response): Promise<any> => response.json()

/** The events of a stream, without the last one, which has to be [DONE]. */
export async function events(response: Response) {
  const lines = (await response.text()).split('\n\n').filter((line) => line !== '')
  if (lines.pop() !== 'data: [DONE]') throw new Error('the stream did not end with [DONE]')
  // biome-ignore lint/suspicious/noExplicitAny: as above
  return lines.map((line): any => JSON.parse(line.replace(/^data: /, '')))
}
