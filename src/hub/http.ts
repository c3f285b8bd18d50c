/** Requests to the hub: tried again where that may help, redirected without the token, never waiting for ever. */
import { setTimeout as wait } from 'node:timers/promises'
import { ClhaError, usageError } from '../errors.js'
import { networkError, statusError } from './failures.js'
import type { HubName } from './name.js'
import type { HubSettings } from './settings.js'

const PASSING = new Set([408, 429, 500, 502, 503, 504])
const MOST_REDIRECTS = 8
const LONGEST_PAUSE = 30_000
/** Bytes of an answer of the API: a page of a listing has a few hundred kilobytes. */
const LARGEST = 64 * 2 ** 20

/** Milliseconds before try number `attempt + 1`; a server may ask for more. */
export function pauseAfter({ pause }: HubSettings, attempt: number, response?: Response): number {
  const asked = Number(response?.headers.get('retry-after')) * 1000
  return Math.min(Math.max(pause * 2 ** (attempt - 1), asked || 0), LONGEST_PAUSE)
}

/** As `fetch`, with our identity, over redirects, without another try. */
export async function requestOnce(
  settings: HubSettings,
  url: string,
  init: RequestInit = {},
): Promise<Response> {
  const home = new URL(settings.endpoint).origin
  let at = webAddress(url, settings.endpoint)
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    const response = await fetch(at, {
      ...init,
      headers: headersFor(settings, at, home, init),
      redirect: 'manual',
    })
    const next = response.headers.get('location')
    if (response.status < 300 || response.status > 399 || next === null) return response
    await response.body?.cancel()
    const target = webAddress(next, at.host, at)
    if (at.protocol === 'https:' && target.protocol !== 'https:')
      throw new Error(`${at.host} leads to ${target.host} without encryption`)
    at = target
  }
  throw new Error(`${at.host} redirects without end`)
}

/** Nothing but the web is followed: `file:` would be this disk, `data:` bytes of whoever redirects. */
function webAddress(text: string, from: string, base?: URL): URL {
  const found = URL.canParse(text, base?.href) ? new URL(text, base) : undefined
  if (found !== undefined && /^https?:$/.test(found.protocol)) return found
  const what = found === undefined ? 'an address that is none' : `a ${found.protocol} address`
  throw usageError(`${from} leads to ${what}, which is not followed`, 'check HF_ENDPOINT')
}

/** The token is for the hub alone: no other host that a redirect or an upload address leads to ever sees it. */
function headersFor({ token }: HubSettings, url: URL, home: string, init: RequestInit): Headers {
  const headers = new Headers(init.headers)
  headers.delete('authorization')
  if (token !== undefined && url.origin === home) headers.set('authorization', `Bearer ${token}`)
  if (!headers.has('user-agent')) headers.set('user-agent', 'clha')
  return headers
}

/**
 * A `fetch` for calls of the hub's API about one repository. Statuses that may pass and lost connections are tried
 * again; a POST only where the server said that it did nothing.
 * @param expected statuses besides 2xx that the caller looks at itself
 * @throws ClhaError (exit 2 or 4) for every other answer
 */
export function hubFetch(
  settings: HubSettings,
  name: HubName,
  expected: readonly number[] = [],
): typeof fetch {
  return async (input, init = {}) => {
    const url = String(input instanceof Request ? input.url : input)
    const isPost = init.method?.toUpperCase() === 'POST'
    for (let attempt = 1; ; attempt++) {
      const last = attempt >= settings.tries
      // What is sent may take long; a question is answered soon or not at all.
      const signal = init.body == null ? AbortSignal.timeout(settings.timeout) : init.signal
      let response: Response | undefined
      try {
        response = await whole(await requestOnce(settings, url, { ...init, signal }), settings.timeout)
      } catch (error) {
        if (error instanceof ClhaError) throw error
        if (last || isPost) throw networkError(settings, name.repo, timed(error, settings.timeout))
      }
      if (response !== undefined) {
        const again = PASSING.has(response.status) && (!isPost || [429, 503].includes(response.status))
        if (response.ok || expected.includes(response.status)) return response
        if (last || !again) throw statusError(settings, name, response)
      }
      await wait(pauseAfter(settings, attempt, response))
    }
  }
}

const tooLate = (timeout: number) => new Error(`no whole answer within ${timeout / 1000} s`)

const timed = (error: unknown, timeout: number): unknown =>
  error instanceof DOMException && error.name === 'TimeoutError' ? tooLate(timeout) : error

/** The answer with all of its body: one that stops in its middle has failed as one that never came. */
async function whole(response: Response, timeout: number): Promise<Response> {
  if (response.body === null) return response
  const reader = response.body.getReader()
  const parts: Uint8Array[] = []
  let size = 0
  let timer: NodeJS.Timeout | undefined
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate(timeout)), timeout)
  })
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), stalled])
      if (done) break
      size += value.byteLength
      if (size > LARGEST) throw new Error(`the answer is larger than ${LARGEST / 2 ** 20} MiB`)
      parts.push(value)
    }
  } catch (error) {
    void reader.cancel().catch(() => {})
    throw error
  } finally {
    clearTimeout(timer)
  }
  const { status, statusText, headers } = response
  const body = Buffer.concat(parts, size)
  const copy = new Response([204, 205, 304].includes(status) ? null : body, { status, statusText, headers })
  Object.defineProperty(copy, 'url', { value: response.url })
  return copy
}
