/** The body of a command that runs a pipeline on a config: its flags, its config and what it needs. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from '@commander-js/extra-typings'
import { flagName } from '../config/flags.js'
import { loadConfig, type ResolvedConfig } from '../config/load-config.js'
import { type ConfigKey, configSchema, SECTIONS } from '../config/schema.js'
import { usageError } from '../errors.js'
import type { PipelineSpec } from './command.js'
import { addConfigFlags } from './config-flags.js'
import { type Io, inputLines } from './io.js'
import type { Pipeline } from './pipeline.js'
import { withUi } from './with-ui.js'

/** Where a run folder keeps its config, in the form of `clha config show`. */
export const RUN_CONFIG = 'config.yaml'

export const pipelineKeys = ({ sections, without }: PipelineSpec): ConfigKey[] =>
  sections
    .flatMap((section) => Object.keys(SECTIONS[section]) as ConfigKey[])
    .filter((key) => !without?.includes(key))

export function definePipeline({ takesData, sections, without }: PipelineSpec, command: Command): void {
  if (takesData) command.argument('[config-or-data]', 'YAML config, or a data file (then train_dataset)')
  else command.argument('[config]', 'YAML config; flags win over it')
  addConfigFlags(command, sections, without)
  command.option('--json', 'JSON Lines on standard output, text on standard error')
}

/** @returns the exit code of a stop that was asked for */
export async function runPipeline(
  spec: PipelineSpec,
  load: () => Promise<Pipeline>,
  io: Io,
  [positional]: readonly (string | undefined)[],
  { json, ...flags }: Record<string, unknown>,
): Promise<number | undefined> {
  const config = await configOf(spec, positional, flags)
  checkNeeds(spec, config)
  const { stopCode } = await withUi(io, { json }, async (ui) => {
    const pipeline = await load()
    return pipeline(config, ui, inputLines(io))
  })
  return stopCode
}

async function configOf(
  spec: PipelineSpec,
  positional: string | undefined,
  flags: Record<string, unknown>,
): Promise<ResolvedConfig> {
  const name = spec.path.join('-')
  const isData = spec.takesData === true && positional !== undefined && !/\.ya?ml$/i.test(positional)
  if (!isData) return loadConfig(positional ?? resumedConfig(flags), flags, name)
  if (flags.trainDataset !== undefined) {
    throw usageError(`both ${positional} and --train-dataset name the data`, 'give one of them')
  }
  return loadConfig(undefined, { ...flags, trainDataset: positional }, name)
}

/** The config of the run that `--resume-from-checkpoint` names, when no other is given. */
function resumedConfig({ resumeFromCheckpoint: folder }: Record<string, unknown>): string | undefined {
  if (typeof folder !== 'string' || folder === 'true' || folder === 'false') return undefined
  const found = [join(folder, RUN_CONFIG), join(dirname(folder), RUN_CONFIG)].find((path) => existsSync(path))
  if (!found && !existsSync(folder)) {
    throw usageError(
      `--resume-from-checkpoint: ${folder}: no such folder`,
      'name a run folder or one of its checkpoints',
    )
  }
  return found
}

/** @throws ClhaError (exit 2) naming every key that has to be set and is not */
export function checkNeeds(spec: PipelineSpec, config: ResolvedConfig): void {
  const missing = spec.needs
    .map((need) => [need].flat())
    .filter((keys) => keys.every((key) => !isSet(config, key)))
  const { model_name_or_path: model, model_config, reward_model_config } = config.values
  const fromSizes = model === undefined && (model_config ?? reward_model_config) !== undefined
  if (fromSizes && !isSet(config, 'tokenizer_name_or_path')) missing.push(['tokenizer_name_or_path'])
  if (missing.length === 0) return
  const properties = configSchema().properties
  const lines = missing.map((keys) => {
    const meaning = keys.map((key) => `\n  ${key}: ${properties[key].description}`).join('')
    return `${config.file ?? `clha ${spec.path.join(' ')}`}  ${keys.join(' or ')} is missing${meaning}`
  })
  const flags = missing.map(([key]) => flagName(key)).join(' and ')
  throw usageError(
    lines.join('\n'),
    `set ${missing.length > 1 ? 'them' : 'it'} in a config, or with ${flags}`,
  )
}

const isSet = ({ values }: ResolvedConfig, key: ConfigKey): boolean => values[key] !== undefined
