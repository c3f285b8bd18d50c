/** The routes of the server, and what stands before them. No page of another site may ask (no CORS). */
import { Hono } from 'hono'
import { ApiError, asApiError, errorBody } from './api-error.js'
import { generationRoutes, type ServedLanguageModel } from './generation-routes.js'
import { jsonOnly, limitBody, loopbackHost, requireKey } from './guard.js'
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
  const { lm, reward, created } = options
  const app = new Hono()
  app.onError((error, c) => {
    const known = asApiError(error)
    if (known.status === 500) options.failed?.(error)
    const { retryAfter } = known.options
    if (retryAfter !== undefined) c.header('retry-after', String(retryAfter))
    return c.json(errorBody(known), known.status)
  })
  app.notFound((c) => {
    const missing = missingModel(c.req.path, options)
    const message = missing ?? `no route ${c.req.method} ${c.req.path}`
    return c.json(errorBody(new ApiError(404, message)), 404)
  })
  if (options.loopback) app.use(loopbackHost)
  app.get('/health', (c) =>
    options.stopping() ? c.json({ status: 'stopping' }, 503) : c.json({ status: 'ok' }),
  )
  app.use(async (_, next) => {
    if (options.stopping()) throw new ApiError(503, 'the server is stopping')
    await next()
  })
  if (options.apiKey !== undefined) app.use(requireKey(options.apiKey))
  app.use(jsonOnly, limitBody(options.maxBody))
  app.get('/v1/models', (c) => {
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
    return c.json({ object: 'list', data })
  })
  if (lm) generationRoutes(app, lm)
  if (reward) rewardRoutes(app, reward)
  return app
}

function missingModel(path: string, { lm, reward }: AppOptions): string | undefined {
  if (!reward && REWARD_PATHS.includes(path)) return 'no reward model is served: start with --reward-model'
  if (!lm && LM_PATHS.includes(path)) return 'no language model is served: start with --model-name-or-path'
  return undefined
}
