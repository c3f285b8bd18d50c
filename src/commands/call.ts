/** The commands as functions: the same settings, the same pipelines, no command line. */
import { Writable } from 'node:stream'
import { loadConfig, type ResolvedConfig } from '../config/load-config.js'
import type { CamelKeys } from '../config/options.js'
import type { ConfigInput } from '../config/schema.js'
import { knownError } from '../errors.js'
import { createUi, type Ui } from '../terminal/ui.js'
import type { PipelineSpec } from './command.js'
import type { Pipeline } from './pipeline.js'
import { checkNeeds } from './pipeline-command.js'

/** Any key of a config, in camelCase. Mappings inside keep their names: `modelConfig: { hidden_size: 64 }`. */
export interface Settings extends Partial<CamelKeys<ConfigInput>> {
  /** Path of a YAML config; the other settings win over it. */
  config?: string
}

export interface CallOptions {
  /** Where progress and findings are said; nowhere when left out. `createUi()` writes to standard output. */
  ui?: Ui
}

/**
 * Runs a command's pipeline.
 * @param settings the path of a YAML config, or settings; what is not set has the default of the command
 * @throws ClhaError, as the command would end: its `exitCode` says of what kind, its `hint` what to do
 */
export type Call<Result extends object> = (
  settings: string | Settings,
  options?: CallOptions,
) => Promise<Result>

/** A call of a command; its pipeline is loaded when it is first made. */
export function callOf<Result extends object>(
  spec: PipelineSpec,
  load: () => Promise<Pipeline<Result>>,
): Call<Result> {
  return async (settings, { ui = quietUi() } = {}) => {
    const config = await resolve(settings, spec)
    checkNeeds(spec, config)
    try {
      return await (await load())(config, ui, noInput())
    } catch (error) {
      throw knownError(error) ?? error
    } finally {
      ui.close()
    }
  }
}

function resolve(settings: string | Settings, spec: PipelineSpec): Promise<ResolvedConfig> {
  const { config: file, ...given } = typeof settings === 'string' ? { config: settings } : settings
  return loadConfig(file, given, spec.path.join('-'))
}

const quietUi = (): Ui => createUi({ stream: new Writable({ write: (_chunk, _encoding, done) => done() }) })

async function* noInput(): AsyncGenerator<string> {}
