/** A command: its name and its help. What its flags and its work need is loaded when it is the one that is called. */
import type { Command } from '@commander-js/extra-typings'
import type { ConfigKey, SectionName } from '../config/schema.js'
import type { Io } from './io.js'
import type { Pipeline } from './pipeline.js'

export interface CliCommand {
  /** Such as `['reward', 'train']`. */
  path: readonly string[]
  summary: string
  /** Whole command lines. */
  examples: readonly string[]
  /** Config keys that it takes as flags. */
  keys(): Promise<readonly ConfigKey[]>
  /** Adds arguments and options. */
  define(command: Command): void | Promise<void>
  /** @returns the exit code; 0 when nothing is returned */
  run(
    io: Io,
    args: readonly (string | undefined)[],
    options: Record<string, unknown>,
  ): Promise<number | undefined>
}

export interface PipelineSpec {
  path: readonly string[]
  summary: string
  examples: readonly string[]
  /** The sections of the config that it reads; their keys are its flags. */
  sections: readonly SectionName[]
  /** Keys that have to be set; of an inner list at least one. */
  needs: readonly (ConfigKey | readonly ConfigKey[])[]
  /** Keys of these sections that are no flags of this command, since a flag of its own has the name. */
  without?: readonly ConfigKey[]
  /** The positional argument may also be a data file, which then is `train_dataset`. */
  takesData?: boolean
}

/** A command that resolves its config and hands it to a pipeline, which is loaded only then. */
export function pipelineCommand(spec: PipelineSpec, load: () => Promise<Pipeline>): CliCommand {
  const body = () => import('./pipeline-command.js')
  return {
    path: spec.path,
    summary: spec.summary,
    examples: spec.examples,
    keys: async () => (await body()).pipelineKeys(spec),
    define: async (command) => (await body()).definePipeline(spec, command),
    run: async (io, args, options) => (await body()).runPipeline(spec, load, io, args, options),
  }
}
