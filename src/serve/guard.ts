/** What stands before every route: who may ask, from where, in which form. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { ApiError, badRequest } from './api-error.js'

const BYTE = '(25[0-5]|2[0-4]\\d|1?\\d?\\d)'
const LOOPBACK = new RegExp(`^(localhost|127(\\.${BYTE}){3}|::1|\\[::1\\])$`, 'i')

export const isLoopback = (host: string): boolean => LOOPBACK.test(host)

const POLICY = 'content-security-policy'

/** What a server sends along with everything: nothing of it is to be run (but where a page says what), framed, guessed at or kept. */
export const securityHeaders: MiddlewareHandler = async (c, next) => {
  await next()
  c.header('x-content-type-options', 'nosniff')
  c.header('x-frame-options', 'DENY')
  if (!c.res.headers.has(POLICY)) c.header(POLICY, "default-src 'none'; frame-ancestors 'none'")
  c.header('referrer-policy', 'no-referrer')
  c.header('cross-origin-resource-policy', 'same-origin')
  if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store')
}

const HOST = /^(\[[0-9a-f:.]+\]|[^\s:/?#@\\[\]]+)(?::(\d{1,5}))?$/i

/** A `Host` that names no host is refused, whatever the server listens on. */
export const readableHost: MiddlewareHandler = async (c, next) => {
  if (nameOf(c.req.header('host')) === undefined) throw badRequest('the Host header names no host')
  await next()
}

/**
 * A page whose name was made to point here (DNS rebinding) still sends its own name: on the loopback address only
 * loopback names are answered.
 */
export const loopbackHost: MiddlewareHandler = async (c, next) => {
  if (!isLoopback(nameOf(c.req.header('host')) ?? ''))
    throw new ApiError(403, 'this server answers to localhost only')
  await next()
}

/** The host without its port; undefined where it is none. */
function nameOf(header = ''): string | undefined {
  const name = HOST.exec(header)?.[1]
  return name !== undefined && URL.canParse(`http://${header}`) ? name : undefined
}

/** `Authorization: Bearer <key>`, compared in constant time. */
export function requireKey(key: string): MiddlewareHandler {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const wanted = digest(`Bearer ${key}`)
  return async (c, next) => {
    const given = c.req.header('authorization') ?? ''
    if (!timingSafeEqual(digest(given), wanted)) {
      throw new ApiError(401, 'send the API key as "Authorization: Bearer <key>"', {
        code: 'invalid_api_key',
      })
    }
    await next()
  }
}

/** A browser asks before it sends JSON to another site, and gets no permission; other types it would just send. */
export const jsonOnly: MiddlewareHandler = async (c, next) => {
  const type = c.req.header('content-type') ?? ''
  if (c.req.method === 'POST' && !/^application\/json\s*(;|$)/i.test(type)) {
    throw new ApiError(415, 'send JSON, with "Content-Type: application/json"')
  }
  await next()
}
