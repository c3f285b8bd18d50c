/** The commands as functions: the same settings, the same work, no command line. */
import { Writable } from 'node:stream'
import type { ConfigInput } from '../config/schema.js'
import { knownError } from '../errors.js'
import type { CamelKeys } from '../key-names.js'
import { createUi, type Ui } from '../terminal/ui.js'
import type { PipelineCommand } from './pipeline.js'

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

/** A command as a function; the code behind it is loaded when it is first called. */
export function callOf<Result extends object>(
  command: Pick<PipelineCommand<never, Result>, 'call'>,
): Call<Result> {
  return (settings, options) => {
    const { config: file, ...given } = typeof settings === 'string' ? { config: settings } : settings
    return called((ui) => command.call(given, file, ui), options)
  }
}

/** Work of a command outside of the command line: said to nobody unless the caller wants it. @throws ClhaError */
export async function called<Result>(
  work: (ui: Ui) => Promise<Result>,
  { ui = quietUi() }: CallOptions = {},
): Promise<Result> {
  try {
    return await work(ui)
  } catch (error) {
    throw knownError(error) ?? error
  } finally {
    ui.close()
  }
}

const quietUi = (): Ui => createUi({ stream: new Writable({ write: (_chunk, _encoding, done) => done() }) })
