/** Metrics of a training on a tracking server, where `report_to` asks for one. The run folder has them in any case. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { usageError } from '../../errors.js'
import { writeWhole } from '../../files/whole.js'
import { addressName, parseAddress } from '../../http/address.js'
import { METRICS_FILE, type MetricRow } from '../../runs/metrics.js'
import {
  beginMlflowRun,
  type MlflowRun,
  type MlflowServer,
  reasonOf,
  resumeMlflowRun,
} from '../../runs/mlflow.js'
import type { Needs } from '../../session/needs.js'
import type { Fit } from './fit-options.js'

export interface Tracker {
  /** Called when the run folder is ours. @throws ClhaError (exit 2) when the server can't be used */
  begin(): Promise<void>
  log(row: MetricRow): void
  end(status: 'FINISHED' | 'KILLED' | 'FAILED'): Promise<void>
}

const NONE: Tracker = { begin: async () => {}, log() {}, end: async () => {} }
const RUN_ID_FILE = 'mlflow.json'

/** @throws ClhaError (exit 2) where the environment names no server that can be used */
export function trackerOf(
  { options, config, ui }: Needs<'reportTo', 'config' | 'ui'>,
  { dir, kind }: Pick<Fit, 'dir' | 'kind'>,
  resume: boolean,
): Tracker {
  if (![options.reportTo].flat().includes('mlflow')) return NONE
  const server = mlflowServer(process.env)
  const settings = { kind, ...config.values }
  let run: MlflowRun | undefined
  return {
    async begin() {
      try {
        run = await openMlflow(server, dir, resume, settings)
      } catch (error) {
        throw usageError(
          `report_to: mlflow: ${server.url}: ${reasonOf(error)}`,
          'start the server (mlflow server), check MLFLOW_TRACKING_URI, or leave mlflow out of report_to',
        )
      }
    },
    log: (row) => run?.log(row),
    async end(status) {
      const lost = await run?.end(status)
      if (lost !== undefined)
        ui.warn(
          `${server.url}: not everything was taken: ${lost}`,
          `all metrics are in ${join(dir, METRICS_FILE)}`,
        )
    },
  }
}

/**
 * The server, the token and the experiment by the variables that MLflow's own client reads.
 * @throws ClhaError (exit 2) where no server is named, or a store that only that client can write to
 */
function mlflowServer(env: NodeJS.ProcessEnv): MlflowServer & { experiment: string } {
  const { MLFLOW_TRACKING_URI: uri, MLFLOW_TRACKING_TOKEN: token } = env
  const example = 'http://127.0.0.1:5000'
  if (!uri) {
    throw usageError(
      'report_to: mlflow: the environment has no MLFLOW_TRACKING_URI',
      `start a server (mlflow server), then export MLFLOW_TRACKING_URI=${example}`,
    )
  }
  if (env.MLFLOW_TRACKING_USERNAME) {
    throw usageError(
      'report_to: mlflow: MLFLOW_TRACKING_USERNAME is set, and names with passwords are not sent',
      'put a token into MLFLOW_TRACKING_TOKEN instead',
    )
  }
  const url = addressName(parseAddress(uri, 'MLFLOW_TRACKING_URI', example)).replace(/\/+$/, '')
  return { url, token: token || undefined, experiment: env.MLFLOW_EXPERIMENT_NAME || 'clha' }
}

/** A run that goes on stays one run on the server; its id lies in its folder. */
async function openMlflow(
  server: ReturnType<typeof mlflowServer>,
  dir: string,
  resume: boolean,
  settings: Record<string, unknown>,
): Promise<MlflowRun> {
  const file = join(dir, RUN_ID_FILE)
  if (resume && existsSync(file)) {
    const { url, id } = JSON.parse(readFileSync(file, 'utf8')) as { url?: string; id?: string }
    if (url === server.url && typeof id === 'string') return resumeMlflowRun(server, id)
  }
  const run = await beginMlflowRun(server, server.experiment, dir, settings)
  writeWhole(file, `${JSON.stringify({ url: server.url, id: run.id })}\n`)
  return run
}
