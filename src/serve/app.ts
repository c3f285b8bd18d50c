/** The routes of the server, and what stands before them. No page of another site may ask (no CORS). */
import { Hono } from 'hono'
import { ApiError, asApiError, errorBody, named } from './api-error.js'
import { generationRoutes, type ServedLanguageModel } from './generation-routes.js'
import { jsonOnly, loopbackHost, readableHost, requireKey, securityHeaders } from './guard.js'
import { bodyReader } from './read-body.js'
import { rewardRoutes, type ServedRewardModel } from './reward-routes.js'

export interface AppOptions {
  lm?: ServedLanguageModel
  reward?: ServedRewardModel
  /** Without one everybody who reaches the address may ask. */
  apiKey?: string
  /** The address is a loopback one. */
  loopback: boolean
  /** Bytes of a request. */
  maxBody: number
  /** Requests are no longer taken. */
  stopping(): boolean
  /** Seconds since 1970 at which the models were loaded. */
  created: number
  /** A bug, for the log. */
  failed?(error: unknown): void
}

const REWARD_PATHS = ['/score', '/classify', '/pooling', '/predict', '/rewards']
const LM_PATHS = ['/v1/completions', '/v1/chat/completions']

export function createApp(options: AppOptions): Hono {
  const { lm, reward } = options
  const app = new Hono({ getPath })
  app.onError((error, c) => {
    const known = asApiError(error)
    if (known.status === 500) options.failed?.(error)
    const { retryAfter } = known.options
    if (retryAfter !== undefined) c.header('retry-after', String(retryAfter))
    return c.json(errorBody(known), known.status)
  })
  app.notFound((c) => {
    const missing = missingModel(c.req.path, options)
    const message = missing ?? `no route ${c.req.method} ${named(c.req.path)}`
    return c.json(errorBody(new ApiError(404, message)), 404)
  })
  app.use(securityHeaders, readableHost)
  if (options.loopback) app.use(loopbackHost)
  app.get('/health', (c) =>
    options.stopping() ? c.json({ status: 'stopping' }, 503) : c.json({ status: 'ok' }),
  )
  app.use(async (_, next) => {
    if (options.stopping()) throw new ApiError(503, 'the server is stopping')
    await next()
  })
  if (options.apiKey !== undefined) app.use(requireKey(options.apiKey))
  app.use(jsonOnly)
  modelRoutes(app, options)
  const readBody = bodyReader(options.maxBody)
  if (lm) generationRoutes(app, lm, readBody)
  if (reward) rewardRoutes(app, reward, readBody)
  return app
}

/** The path without slashes that stand twice or at its end: base addresses are often written with one. */
function getPath({ url }: Request): string {
  const [, path = '/'] = /^[^:]+:\/\/[^/?#]*([^?#]*)/.exec(url) ?? []
  return path.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1')
}

function modelRoutes(app: Hono, { lm, reward, created }: AppOptions): void {
  const entry = (id: string, more: object = {}) => ({
    id,
    object: 'model',
    created,
    owned_by: 'clha',
    ...more,
  })
  const data = [
    ...(lm ? [entry(lm.name, { max_model_len: lm.contextLength })] : []),
    ...(reward ? [entry(reward.name)] : []),
  ]
  app.get('/v1/models', (c) => c.json({ object: 'list', data }))
  // A name may be a path, with slashes of its own.
  app.get('/v1/models/:id{.+}', (c) => {
    const asked = c.req.param('id')
    const found = data.find(({ id }) => bare(id) === bare(asked))
    if (found) return c.json(found)
    const served = data.map(({ id }) => `"${id}"`).join(' and ')
    throw new ApiError(404, `no model "${named(asked)}" here; this server has ${served}`, {
      param: 'model',
      code: 'model_not_found',
    })
  })
}

const bare = (name: string): string => name.replace(/\/{2,}/g, '/').replace(/^\/|\/$/g, '')

function missingModel(path: string, { lm, reward }: AppOptions): string | undefined {
  if (!reward && REWARD_PATHS.includes(path)) return 'no reward model is served: start with --reward-model'
  if (!lm && LM_PATHS.includes(path)) return 'no language model is served: start with --model-name-or-path'
  return undefined
}
