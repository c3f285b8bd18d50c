/** What a call of a command on a config came to: the config, short names resolved, what is needed asked for. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { flagName } from '../config/flags.js'
import { loadConfig, type ResolvedConfig } from '../config/load-config.js'
import type { OptionName } from '../config/options.js'
import { type ConfigKey, configSchema } from '../config/schema.js'
import { SECTION_KEYS } from '../config/sections.js'
import { usageError } from '../errors.js'
import { camelCase, snakeCase } from '../key-names.js'
import type { Ui } from '../terminal/ui.js'
import { commandName, type ShortNames } from './command.js'
import type { AnySpec } from './pipeline-spec.js'

/** Where a run folder keeps its config, in the form of `clha config show`. */
export const RUN_CONFIG = 'config.yaml'

/** The config of a call of the library. @throws ClhaError (exit 2) for a key that the command does not read */
export const configOfSettings = (
  spec: AnySpec,
  keys: readonly ConfigKey[],
  settings: Record<string, unknown>,
  file: string | undefined,
): Promise<ResolvedConfig> =>
  loadConfig(file, ownNames(spec, keys, spec.short ?? {}, settings), spec.path.join('-'))

/** Short names become the keys that they stand for. @throws ClhaError (exit 2) for a key that is not read here */
function ownNames(
  spec: AnySpec,
  keys: readonly ConfigKey[],
  short: ShortNames,
  settings: Record<string, unknown>,
): Record<string, unknown> {
  const known = new Set<string>(Object.values(SECTION_KEYS).flat())
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      const key = snakeCase(name) as ConfigKey
      if (value !== undefined && known.has(key) && !keys.includes(key) && short[key] === undefined)
        throw usageError(`${commandName(spec)} does not use ${key}`, 'remove it')
      return [short[key] ?? name, value]
    }),
  )
}

export async function configOf(
  spec: AnySpec,
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

/** A file serves several commands: where a short name in it means another command's setting, that is said. */
export function sayMistaken(
  { short = {}, path }: AnySpec,
  { origin, options, file }: ResolvedConfig,
  ui: Ui,
): void {
  for (const [name, key] of Object.entries(short) as [ConfigKey, ConfigKey][]) {
    if (origin[name] !== 'file' || ['file', 'flag'].includes(origin[key])) continue
    const value = options[camelCase(key) as OptionName<ConfigKey>]
    ui.warn(
      `${file}: ${name} is for other commands; ${commandName({ path })} goes by ${key} (${value ?? 'unset'})`,
      `set ${key}, or give ${flagName(name)} on the command line`,
    )
  }
}

/** @throws ClhaError (exit 2) naming every key that has to be set and is not */
export function checkNeeds(spec: Pick<AnySpec, 'needs' | 'path'>, config: ResolvedConfig): void {
  const missing = spec.needs
    .map((need): readonly ConfigKey[] => (typeof need === 'string' ? [need] : need))
    .filter((keys) => keys.every((key) => !isSet(config, key)))
  const { model_name_or_path: model, model_config, reward_model_config } = config.values
  const fromSizes = model === undefined && (model_config ?? reward_model_config) !== undefined
  if (fromSizes && !isSet(config, 'tokenizer_name_or_path')) missing.push(['tokenizer_name_or_path'])
  if (missing.length === 0) return
  const properties = configSchema().properties
  const lines = missing.map((keys) => {
    const meaning = keys.map((key) => `\n  ${key}: ${properties[key].description}`).join('')
    return `${config.file ?? commandName(spec)}  ${keys.join(' or ')} is missing${meaning}`
  })
  const flags = missing.map(([key]) => flagName(key)).join(' and ')
  throw usageError(
    lines.join('\n'),
    `set ${missing.length > 1 ? 'them' : 'it'} in a config, or with ${flags}`,
  )
}

const isSet = ({ values }: ResolvedConfig, key: ConfigKey): boolean => values[key] !== undefined
