/** One POST or GET of JSON to a server that the config names: with a time limit, a size limit, and no redirect to elsewhere. */

interface FailureOptions {
  /** Another attempt may succeed. */
  retry?: boolean
  /** The time limit ended it: the server may have done the work all the same. */
  timedOut?: boolean
  /** The server wants another token, or one at all. */
  denied?: boolean
  /** Milliseconds that the server asks to wait. */
  retryAfterMs?: number
  /** What a chat model said where a score was expected. */
  reply?: string
  /** The server answered with a number that is none. */
  notFinite?: boolean
}

/** A request that failed, and whether to try again. */
export class HttpFailure extends Error {
  constructor(
    message: string,
    readonly options: FailureOptions = {},
  ) {
    super(message)
    this.name = 'HttpFailure'
  }
}

export interface PostOptions {
  timeoutMs: number
  /** Sent as `Authorization: Bearer …`; never shown. */
  token?: string
  signal?: AbortSignal
}

/** No answer to what is asked here is larger than this. */
const MAX_BYTES = 16 * 2 ** 20
const MAX_REDIRECTS = 3

/**
 * @returns the parsed answer of a 2xx
 * @throws HttpFailure for everything else
 */
export const postJson = (url: string, body: unknown, options: PostOptions): Promise<unknown> =>
  askJson(url, JSON.stringify(body), options)

/** `postJson` for what a server only tells. */
export const getJson = (url: string, options: PostOptions): Promise<unknown> =>
  askJson(url, undefined, options)

async function askJson(url: string, body: string | undefined, options: PostOptions): Promise<unknown> {
  const { timeoutMs, signal, token } = options
  const limit = AbortSignal.timeout(timeoutMs)
  try {
    const response = await send(url, body, {
      ...options,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    })
    const text = await readText(response)
    if (!response.ok) throw statusFailure(response, hide(text, token))
    return parseJson(text)
  } catch (error) {
    if (error instanceof HttpFailure) throw error
    if (signal?.aborted) throw new HttpFailure('stopped')
    if (limit.aborted)
      throw new HttpFailure(`no answer within ${timeoutMs / 1000} s`, { retry: true, timedOut: true })
    throw new HttpFailure(networkReason(error), { retry: true })
  }
}

/** Follows redirects that keep the method, on the same host only: the token and the data go nowhere else. */
async function send(
  url: string,
  body: string | undefined,
  { token, signal }: PostOptions,
): Promise<Response> {
  const method = body === undefined ? 'GET' : 'POST'
  const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'application/json' }
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  let address = new URL(url)
  for (let hops = 0; ; hops++) {
    const response = await fetch(address.href, { method, headers, body, signal, redirect: 'manual' })
    const location = response.headers.get('location')
    if (response.status < 300 || response.status >= 400 || location === null) return response
    await response.body?.cancel()
    const next = URL.canParse(location, address.href) ? new URL(location, address) : undefined
    const keepsMethod = response.status === 307 || response.status === 308
    if (next === undefined || !keepsMethod || next.origin !== address.origin || hops === MAX_REDIRECTS) {
      const target = next ? `${next.origin}${next.pathname}` : 'an address that is none'
      throw new HttpFailure(`redirects (${response.status}) to ${target}, which is not followed`)
    }
    address = next
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = response.body?.getReader()
  while (reader) {
    const { done, value } = await reader.read()
    if (done) break
    size += value.length
    if (size > MAX_BYTES) {
      await reader.cancel()
      throw new HttpFailure(`the answer is larger than ${MAX_BYTES / 2 ** 20} MiB`)
    }
    chunks.push(value)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    const odd = /[[:,]\s*(-?Infinity|NaN)\s*[,\]}]/.exec(text)
    if (odd) throw new HttpFailure(`a number is ${odd[1]}`, { notFinite: true })
    const start = text === '' ? 'nothing' : JSON.stringify(text.slice(0, 80))
    throw new HttpFailure(`the answer is no JSON: ${start}`, { retry: true })
  }
}

/** 408, 425, 429 and 5xx pass; every other status says that the request itself is wrong. */
function statusFailure({ status, headers }: Response, text: string): HttpFailure {
  const retry = status === 408 || status === 425 || status === 429 || status >= 500
  const message = serverMessage(text)
  return new HttpFailure(`HTTP ${status}${message === '' ? '' : `: ${message}`}`, {
    retry,
    denied: status === 401 || status === 403,
    retryAfterMs: retry ? retryAfter(headers.get('retry-after')) : undefined,
  })
}

/** What the server says went wrong, in the shapes of OpenAI, vLLM, FastAPI and TEI; else the text itself. */
function serverMessage(text: string): string {
  let found: unknown = text
  try {
    const { error, message, detail } = JSON.parse(text) as Record<string, unknown>
    const inner = (error as Record<string, unknown> | undefined)?.message
    found = inner ?? message ?? detail ?? error ?? text
  } catch {
    // A page or a plain text.
  }
  const said = typeof found === 'string' ? found : JSON.stringify(found)
  const line = said.replace(/\s+/g, ' ').trim()
  return line.length > 300 ? `${line.slice(0, 297)}...` : line
}

/** Seconds or a date, as milliseconds from now. */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}

const hide = (text: string, token?: string): string => (token ? text.replaceAll(token, '***') : text)

function networkReason(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: string; message?: string } }
  if (cause?.code === 'ECONNREFUSED') return 'nothing listens there (connection refused)'
  if (cause?.code === 'ENOTFOUND') return 'no such host'
  return `the connection failed: ${cause?.message || cause?.code || message}`
}
