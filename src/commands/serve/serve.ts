/** `clha serve`: models behind HTTP, until a signal ends it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { checkIdle, GENERATE_KEYS } from '../../config/idle-keys.js'
import type { Options, SectionOptions } from '../../config/options.js'
import { usageError } from '../../errors.js'
import { hubLabel } from '../../hub/cache.js'
import { sayUnusedSettings } from '../../load/generation-settings.js'
import { loadStartModel, stopIdsOf } from '../../load/language-model.js'
import { quantizedReward } from '../../load/quantized-options.js'
import { loadScoringModel } from '../../load/scoring-model.js'
import { requireFiniteOutput } from '../../models/decoder/finite.js'
import { resolveModelFolder } from '../../models/folders/model-folder.js'
import { scoreExamples } from '../../reward/model-scorer.js'
import type { ScoreCache } from '../../reward/score-cache.js'
import { ApiError } from '../../serve/api-error.js'
import { createApp } from '../../serve/app.js'
import { createEngine } from '../../serve/engine.js'
import type { ServedLanguageModel } from '../../serve/generation-routes.js'
import { isLoopback } from '../../serve/guard.js'
import type { ServedRewardModel } from '../../serve/reward-routes.js'
import { createScorer } from '../../serve/scorer.js'
import { listen } from '../../serve/server.js'
import type { Needs } from '../../session/needs.js'
import { type Session, withSession } from '../../session/session.js'
import { amount, bytes, count, duration } from '../../show/units.js'
import { secretOf } from '../../stations/score/endpoint-scores.js'
import { openModelCache } from '../../stations/score/model-cache.js'
import { requireOneScorer } from '../../stations/score/one-scorer.js'
import { DTYPES } from '../../tensor/index.js'
import { sayAtStop } from '../../terminal/signals.js'
import type { Pipeline } from '../pipeline-spec.js'

export interface ServeResult {
  url: string
  /** Every request under way at the end came to its own. */
  finished: boolean
}

/** Bytes of a request. */
const MAX_BODY = 16 * 2 ** 20
/** Tokens of prompt and answer where nothing else is said: the cache is made for as many in every row. */
const USUAL_CONTEXT = 4096
/** Milliseconds between looks at the stop request. */
const STOP_POLL = 50

/** What serving a reward model reads. */
type ScoringSession = Needs<SectionOptions<'model' | 'data' | 'score' | 'serve' | 'train'>, 'dtype' | 'ui'>

interface Loaded<T> {
  served: T
  /** Gives up what waits and runs. */
  giveUp(): void
  dispose(): void
}

export const serve: Pipeline<ServeResult> = withSession(async (session) => {
  const { options, ui, stopRequested } = session
  requireOneScorer(options)
  if (options.modelNameOrPath === undefined)
    checkIdle(session, [
      { keys: [...GENERATE_KEYS, 'served_model_name'], reason: 'a reward model writes no answers' },
    ])
  const access = accessOf(options)
  const lm =
    options.modelNameOrPath === undefined ? undefined : await loadLm(session, options.modelNameOrPath)
  const reward =
    options.rewardModel === undefined ? undefined : await loadReward(session, options.rewardModel[0])
  const loaded = [...(lm ? [lm] : []), ...(reward ? [reward] : [])]
  const app = createApp({
    ...access,
    lm: lm?.served,
    reward: reward?.served,
    maxBody: MAX_BODY,
    stopping: stopRequested,
    created: Math.floor(Date.now() / 1000),
    failed: (error) => ui.warn(`a request failed: ${error instanceof Error ? error.message : String(error)}`),
  })
  try {
    const server = await listen(app, options.host, options.port)
    sayAtStop(`no further requests; those under way have ${duration(options.gracePeriod)} to finish …`)
    ui.line(`serving on ${server.url}`)
    while (!stopRequested()) await sleep(STOP_POLL)
    const finished = await server.stop(options.gracePeriod * 1000, () => {
      for (const { giveUp } of loaded) giveUp()
    })
    if (!finished) ui.warn('requests that ran longer than grace_period were given up')
    return { url: server.url, finished }
  } finally {
    for (const { dispose } of loaded) dispose()
  }
})

/** @throws ClhaError (exit 2) when others could reach the server without a key */
function accessOf({ host, apiKeyEnv }: Options): { loopback: boolean; apiKey?: string } {
  const loopback = isLoopback(host)
  if (!loopback && apiKeyEnv === undefined) {
    throw usageError(
      `host ${host}: everybody who reaches this address could use the server`,
      'put a key into an environment variable and name that with --api-key-env; clients then have to send it',
    )
  }
  return { loopback, apiKey: apiKeyEnv === undefined ? undefined : secretOf(apiKeyEnv, 'api_key_env') }
}

async function loadLm(session: Session, path: string): Promise<Loaded<ServedLanguageModel>> {
  const { options, config, ui, dtype } = session
  const lm = await loadStartModel(session, 'lm', 'all')
  const { model, tokenizer, template } = lm
  sayUnusedSettings(session, tokenizer.generation)
  requireFiniteOutput(model)
  const contextLength = contextOf(model.config.maxPositions, options.maxModelLen)
  const { evalBatchSize: slots, maxQueue } = options
  const engine = createEngine(model, tokenizer, { slots, contextLength, maxQueue })
  const name = options.servedModelName ?? hubLabel(path)
  const { layers, kvHeads, headDim } = model.config
  const cache = 2 * slots * contextLength * layers * kvHeads * headDim * DTYPES[dtype].bytes
  ui.line(
    `${name} · ${amount(slots, 'request')} at a time, ${count(contextLength)} tokens each · cache ${bytes(cache)}`,
  )
  return {
    served: {
      name,
      tokenizer,
      template,
      engine,
      contextLength,
      maxQueue,
      stops: config.origin.stop === 'default' ? [] : options.stop,
      defaults: {
        maxNewTokens: options.maxNewTokens,
        temperature: options.temperature,
        topK: options.topK,
        topP: options.topP,
        samples: options.numSamples,
        stopIds: stopIdsOf(lm),
      },
    },
    giveUp: engine.abort,
    dispose() {
      engine.dispose()
      model.dispose()
    },
  }
}

function contextOf(maxPositions: number, asked?: number): number {
  if (asked === undefined) return Math.min(maxPositions, USUAL_CONTEXT)
  if (asked <= maxPositions) return asked
  throw usageError(`max_model_len ${asked}: the model reads ${maxPositions} tokens`, 'lower it')
}

async function loadReward(session: ScoringSession, path: string): Promise<Loaded<ServedRewardModel>> {
  const { options, dtype, ui } = session
  const folder = resolveModelFolder(path)
  const { chatTemplate, rewardFormat: format } = options
  const bits = quantizedReward(options)
  const { model, tokenizer, template } = await loadScoringModel(folder, { dtype, format, chatTemplate, bits })
  let givenUp = false
  let cache: ScoreCache | undefined
  const scorer = createScorer({
    tokenizer,
    template,
    contextLength: Math.min(model.config.maxPositions, options.maxModelLen ?? Number.POSITIVE_INFINITY),
    maxQueue: options.maxQueue,
    async rewards(encoded) {
      const stopRequested = () => givenUp
      const scored = await scoreExamples(model, encoded, {
        maxTokens: options.maxTokensPerBatch,
        cache,
        stopRequested,
      })
      if (givenUp) throw new ApiError(503, 'the request was given up')
      return scored.rewards
    },
  })
  // A model that can't score is met here, not by the first request; what is tried is no score to keep.
  await scorer.score([{ text: 'a' }], new AbortController().signal)
  cache = await openModelCache(session, { folder, bits, template: template.name })
  ui.line(`${hubLabel(path)} · reward model`)
  return {
    served: { name: hubLabel(path), scorer },
    giveUp() {
      givenUp = true
    },
    dispose() {
      cache?.close()
      model.dispose()
    },
  }
}
