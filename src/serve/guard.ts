/** What stands before every route: who may ask, from where, how much at once. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { ApiError } from './api-error.js'

export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host)

/**
 * A page whose name was made to point here (DNS rebinding) still sends its own name: on the loopback address only
 * loopback names are answered.
 */
export const loopbackHost: MiddlewareHandler = async (c, next) => {
  const host = (c.req.header('host') ?? '').replace(/:\d+$/, '')
  if (!isLoopback(host)) throw new ApiError(403, 'this server answers to localhost only')
  await next()
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

export const limitBody = (bytes: number): MiddlewareHandler =>
  bodyLimit({
    maxSize: bytes,
    onError: () => {
      throw new ApiError(413, `the request is larger than ${bytes / 2 ** 20} MiB`)
    },
  })
