/** What every pipeline starts from: options, the user interface, the engine set up, and what is recorded of them. */
import { readFileSync } from 'node:fs'
import * as os from 'node:os'
import type { Conditions } from '../checkpoint/policy/state.js'
import type { ResolvedConfig } from '../config/load-config.js'
import type { Options, OptionsWith } from '../config/options.js'
import type { ConfigKey } from '../config/schema.js'
import { takeLock } from '../runs/lock.js'
import type { OpenRunOptions } from '../runs/open-run.js'
import type { DataFile, HubEntry } from '../runs/run-manifest.js'
import {
  chooseDevice,
  type DType,
  deviceLabel,
  native,
  useDevice,
  waitForOperators,
} from '../tensor/index.js'
import { stopRequested } from '../terminal/signals.js'
import type { Ui } from '../terminal/ui.js'
import { freezeTemplateDate, templateDate } from '../text/template-date.js'
import { resolveHubNames } from './names/resolve-names.js'
import { recordedDate } from './recorded-date.js'

/** `Needed` are keys that are set for certain. */
export interface Session<Needed extends ConfigKey = never> {
  options: OptionsWith<Needed>
  config: ResolvedConfig<Needed>
  ui: Ui
  dtype: DType
  conditions: Conditions
  versions: Record<string, string>
  hardware: Record<string, unknown>
  /** What was named on the hub. */
  hub: HubEntry[]
  stopRequested(): boolean
}

export const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version

const DTYPE_OF: Record<Options['dtype'], DType> = { float32: 'f32', float64: 'f64', bfloat16: 'bf16' }

/** Tokens of a micro-batch that keep a GPU busy; the schema's default is that of a CPU. */
const GPU_TOKENS_PER_BATCH = 8192

/** What nobody set, as it suits a GPU. */
function withGpuDefaults<Needed extends ConfigKey>(config: ResolvedConfig<Needed>): ResolvedConfig<Needed> {
  if (config.origin.max_tokens_per_batch !== 'default') return config
  return {
    ...config,
    values: { ...config.values, max_tokens_per_batch: GPU_TOKENS_PER_BATCH },
    options: { ...config.options, maxTokensPerBatch: GPU_TOKENS_PER_BATCH },
    origin: { ...config.origin, max_tokens_per_batch: 'derived' },
  }
}

/**
 * Fetches what is named on the hub, sets the engine's device and threads and gathers what a run's manifest says of machine and
 * versions. In `options` every name is a path on this disk; `config` keeps the names.
 * @param setting of the device; that of the config when left out
 * @throws ClhaError (exit 2) for a GPU that is not there
 */
export async function openSession<Needed extends ConfigKey = never>(
  given: ResolvedConfig<Needed>,
  ui: Ui,
  setting = given.options.device,
): Promise<Session<Needed>> {
  if (given.options.profile) waitForOperators()
  const device = chooseDevice(setting)
  const config = device === 'cpu' ? given : withGpuDefaults(given)
  const { options, hub } = await resolveHubNames(config.options, ui)
  if (options.outputDir !== undefined) freezeTemplateDate(recordedDate(options.outputDir) ?? new Date())
  if (options.threads !== undefined) native().setThreads(options.threads)
  useDevice(device)
  if (device !== 'cpu') ui.line(`computes on ${deviceLabel(device)}`)
  const engine = native().engine()
  const gpu = device === 'cpu' ? {} : { gpu: engine.devices[Number(device.split(':')[1])].name }
  const versions = { clha: VERSION, libtorch: engine.libtorch, node: process.version, addon: engine.buildId }
  const hardware = {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.cpus().length,
    threads: engine.threads,
    cpu_level: engine.cpuLevel,
    memory_bytes: os.totalmem(),
    platform: `${process.platform}-${process.arch}`,
    device: deviceLabel(device),
  }
  return {
    options,
    config,
    ui,
    dtype: DTYPE_OF[options.dtype],
    conditions: {
      libtorch: engine.libtorch,
      cpuLevel: engine.cpuLevel,
      threads: engine.threads,
      build: engine.buildId,
      clha: VERSION,
      ...gpu,
    },
    versions,
    hardware,
    hub,
    stopRequested,
  }
}

/** A pipeline as its work in a session, which is opened from the config. */
export const withSession =
  <Result, Needed extends ConfigKey = never>(
    work: (session: Session<Needed>, input: AsyncIterable<string>) => Promise<Result>,
  ) =>
  async (config: ResolvedConfig<Needed>, ui: Ui, input: AsyncIterable<string>): Promise<Result> =>
    work(await openSession(config, ui), input)

/** What openRun writes into run.json. */
export function manifestOf(
  session: Pick<Session, 'config' | 'hub' | 'versions' | 'hardware'>,
  kind: string,
  data: DataFile[],
): Omit<OpenRunOptions, 'resume'> {
  const { values } = session.config
  return {
    lock: takeLock,
    kind,
    config: values,
    data,
    hub: session.hub,
    template_date: templateDate().toISOString(),
    versions: session.versions,
    hardware: session.hardware,
  }
}
