/** A run on an MLflow tracking server, by its REST API: settings once, metrics as they come, how it ended. */
import { z } from 'zod'
import { getJson, HttpFailure, postJson } from '../http/post-json.js'
import { readResponse } from '../http/read-response.js'
import { withRetries } from '../http/retry.js'
import type { MetricRow } from './metrics.js'

export interface MlflowServer {
  /** Without a slash at its end. */
  url: string
  token?: string
}

export interface MlflowRun {
  readonly id: string
  /** Sent while the training goes on; what can't be sent now is sent with the next row. */
  log(row: MetricRow): void
  /** Sends what is left. @returns the reason why rows were not taken, if any were not */
  end(status: 'FINISHED' | 'KILLED' | 'FAILED'): Promise<string | undefined>
}

/** Metrics and parameters that one request may hold, and characters of a parameter that every store takes. */
const LIMITS = { metrics: 1000, params: 100, value: 500 }
const TIMEOUT = 15_000

const experimentsShape = z.object({
  experiments: z.array(z.object({ experiment_id: z.string() })).optional(),
})
const createdShape = z.object({ experiment_id: z.string() })
const runShape = z.object({ run: z.object({ info: z.object({ run_id: z.string() }) }) })

const latestShape = z.object({
  run: z.object({
    data: z
      .object({
        metrics: z.array(z.object({ key: z.string(), step: z.coerce.number().default(0) })).optional(),
      })
      .optional(),
  }),
})

/**
 * @param body left out: nothing is changed there
 * @throws HttpFailure where the server does not answer, or not as MLflow does
 */
function ask(server: MlflowServer, path: string, body?: object): Promise<unknown> {
  const url = `${server.url}/api/2.0/mlflow/${path}`
  const options = { timeoutMs: TIMEOUT, token: server.token }
  return withRetries(() => (body ? postJson(url, body, options) : getJson(url, options)), { retries: 2 })
}

/** Begins a run, in an experiment that is made where there is none. @throws HttpFailure */
export async function beginMlflowRun(
  server: MlflowServer,
  experiment: string,
  name: string,
  settings: Record<string, unknown>,
): Promise<MlflowRun> {
  const request = {
    experiment_id: await experimentId(server, experiment),
    run_name: name,
    start_time: Date.now(),
  }
  const { run } = readResponse(runShape, await ask(server, 'runs/create', request))
  const set = Object.entries(settings).filter(([, value]) => value !== undefined)
  const params = set.map(([key, value]) => ({ key, value: written(value) }))
  for (let i = 0; i < params.length; i += LIMITS.params)
    await ask(server, 'runs/log-batch', {
      run_id: run.info.run_id,
      params: params.slice(i, i + LIMITS.params),
    })
  return openRun(server, run.info.run_id)
}

/**
 * Goes on with a run that the server knows. MLflow takes no metric back: steps after the checkpoint that it already has are
 * not sent twice.
 * @throws HttpFailure
 */
export async function resumeMlflowRun(server: MlflowServer, id: string): Promise<MlflowRun> {
  await ask(server, 'runs/update', { run_id: id, status: 'RUNNING' })
  const { run } = readResponse(latestShape, await ask(server, `runs/get?run_id=${encodeURIComponent(id)}`))
  return openRun(server, id, new Map(run.data?.metrics?.map(({ key, step }) => [key, step])))
}

async function experimentId(server: MlflowServer, name: string): Promise<string> {
  const quote = name.includes("'") ? '"' : "'"
  const asked = { filter: `name = ${quote}${name}${quote}`, max_results: 1 }
  const { experiments = [] } = readResponse(experimentsShape, await ask(server, 'experiments/search', asked))
  if (experiments.length > 0) return experiments[0].experiment_id
  return readResponse(createdShape, await ask(server, 'experiments/create', { name })).experiment_id
}

const written = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > LIMITS.value ? `${text.slice(0, LIMITS.value - 1)}…` : text
}

interface Metric {
  key: string
  value: number | string
  timestamp: number
  step: number
}

/** JSON has no NaN; the server reads its name. */
const metricsOf = ({ step, ...row }: MetricRow): Metric[] =>
  Object.entries(row).flatMap(([key, value]) =>
    typeof value === 'number'
      ? [{ key, value: Number.isFinite(value) ? value : String(value), timestamp: Date.now(), step }]
      : [],
  )

/** @param known the last step of each metric that the server has */
function openRun(
  server: MlflowServer,
  id: string,
  known: ReadonlyMap<string, number> = new Map(),
): MlflowRun {
  const waiting: Metric[] = []
  let failure: string | undefined
  let sending: Promise<void> | undefined
  const send = async () => {
    failure = undefined
    while (waiting.length > 0 && failure === undefined) {
      const metrics = waiting.slice(0, LIMITS.metrics)
      try {
        await ask(server, 'runs/log-batch', { run_id: id, metrics })
        waiting.splice(0, metrics.length)
      } catch (error) {
        failure = reasonOf(error)
      }
    }
    sending = undefined
  }
  return {
    id,
    log(row) {
      waiting.push(...metricsOf(row).filter(({ key, step }) => step > (known.get(key) ?? -1)))
      sending ??= send()
    },
    async end(status) {
      await sending
      if (waiting.length > 0) await send()
      try {
        await ask(server, 'runs/update', { run_id: id, status, end_time: Date.now() })
      } catch (error) {
        failure ??= reasonOf(error)
      }
      return failure
    },
  }
}

/** @throws what is no failure of a request */
export function reasonOf(error: unknown): string {
  if (error instanceof HttpFailure) return error.message
  throw error
}
