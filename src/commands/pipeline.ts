/** Commands that run on a config: their sections become flags, what they need is asked for, short names are resolved. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { flagName } from '../config/flags.js'
import { loadConfig, type ResolvedConfig } from '../config/load-config.js'
import type { OptionName } from '../config/options.js'
import { type ConfigKey, configSchema, SECTION_TITLES, SECTIONS, type SectionName } from '../config/schema.js'
import { usageError } from '../errors.js'
import { camelCase, snakeCase } from '../key-names.js'
import type { Ui } from '../terminal/ui.js'
import {
  type Command,
  commandName,
  JSON_LINES,
  type KeyGroup,
  type OwnFlag,
  type ShortNames,
} from './command.js'

/**
 * One command's work. What it says goes through `ui`; what it returns is the `--json` result, its keys written in
 * snake_case. It asks `stopRequested()` after every step, saves, and returns early when that is true.
 * `Needed` are keys that its spec names under `needs`: they are set in the options that it gets.
 * @param input lines of standard input, for `chat`
 */
export type Pipeline<Result extends object = object, Needed extends ConfigKey = never> = (
  config: ResolvedConfig<Needed>,
  ui: Ui,
  input: AsyncIterable<string>,
) => Promise<Result>

type Need = ConfigKey | readonly ConfigKey[]

/** The keys that are set for certain: those that no other may stand in for. */
type NeededOf<Needs extends readonly Need[]> = Extract<Needs[number], ConfigKey>

export interface PipelineSpec<Needs extends readonly Need[], Result extends object> {
  path: readonly string[]
  summary: string
  examples: readonly string[]
  /** The sections of the config that it reads; their keys are its flags. */
  sections: readonly SectionName[]
  /** Keys that have to be set; of an inner list at least one. */
  needs: Needs
  /** Keys of these sections that have no effect here: they are no flags of the command. */
  without?: readonly ConfigKey[]
  /** Keys that `--help` shows; left out: all. */
  first?: readonly ConfigKey[]
  /** Names that stand for a longer key here: the library and the command line take both. */
  short?: ShortNames
  /** Flags that are no keys. */
  flags?: readonly OwnFlag[]
  /** The positional argument may also be a data file, which then is `train_dataset`. */
  takesData?: boolean
  /** Imports the code behind it. @param own values of its own flags, in camelCase */
  load(own: Record<string, unknown>): Promise<Pipeline<Result, NeededOf<Needs>>>
}

export interface PipelineCommand<
  Needs extends readonly Need[] = readonly Need[],
  Result extends object = object,
> extends Command,
    Omit<PipelineSpec<Needs, Result>, 'flags' | 'path' | 'summary' | 'examples' | 'first' | 'short'> {
  /** Runs it on settings; keys that it does not read are refused. */
  call(settings: Record<string, unknown>, file: string | undefined, ui: Ui): Promise<Result>
}

/** Where a run folder keeps its config, in the form of `clha config show`. */
export const RUN_CONFIG = 'config.yaml'

/** A command that resolves its config and hands it to a pipeline, which is loaded only then. */
export function pipeline<const Needs extends readonly Need[], Result extends object>(
  spec: PipelineSpec<Needs, Result>,
): PipelineCommand<Needs, Result> {
  const { flags = [], takesData, short = {} } = spec
  const groups = groupsOf(spec)
  const keys = groups.flatMap((group) => group.keys)
  const own = new Set(flags.map(({ flag }) => camelCase(flag.replace(/^--| .*/g, '').replaceAll('-', '_'))))
  const ready = async (config: ResolvedConfig, ui: Ui, ownFlags: Record<string, unknown> = {}) => {
    checkNeeds(spec, config)
    sayMistaken(spec, config, ui)
    return { config: config as ResolvedConfig<NeededOf<Needs>>, work: await spec.load(ownFlags) }
  }
  return {
    ...spec,
    arguments: [
      takesData
        ? ['[config-or-data]', 'YAML config, or a data file (then train_dataset)']
        : ['[config]', 'YAML config; flags win over it'],
    ],
    flags,
    keys,
    groups,
    json: JSON_LINES,
    async run({ args: [positional], flags: given, ui, input }) {
      const isOwn = ([name]: [string, unknown]) => own.has(name)
      const ofConfig = Object.fromEntries(Object.entries(given).filter((entry) => !isOwn(entry)))
      const resolved = await configOf(spec, positional, ofConfig)
      const { config, work } = await ready(
        resolved,
        ui,
        Object.fromEntries(Object.entries(given).filter(isOwn)),
      )
      return { result: await work(config, ui, input) }
    },
    async call(settings, file, ui) {
      const resolved = await loadConfig(file, ownNames(spec, keys, short, settings), spec.path.join('-'))
      const { config, work } = await ready(resolved, ui)
      return work(config, ui, noInput())
    },
  }
}

async function* noInput(): AsyncGenerator<string> {}

type Named = Pick<PipelineSpec<readonly Need[], object>, 'path'>
type AnySpec = Omit<PipelineSpec<readonly Need[], object>, 'load'>

function groupsOf({ sections, without = [], short = {} }: AnySpec): KeyGroup[] {
  const groups = sections.map((section) => ({
    heading: SECTION_TITLES[section],
    keys: (Object.keys(SECTIONS[section]) as ConfigKey[]).filter(
      (key) => !without.includes(key) && short[key] === undefined,
    ),
  }))
  return groups.filter(({ keys }) => keys.length > 0)
}

/** Short names become the keys that they stand for. @throws ClhaError (exit 2) for a key that is not read here */
function ownNames(
  spec: Named,
  keys: readonly ConfigKey[],
  short: ShortNames,
  settings: Record<string, unknown>,
): Record<string, unknown> {
  const known = new Set<string>(Object.keys(SECTIONS).flatMap((s) => Object.keys(SECTIONS[s as SectionName])))
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      const key = snakeCase(name) as ConfigKey
      if (value !== undefined && known.has(key) && !keys.includes(key) && short[key] === undefined)
        throw usageError(`${commandName(spec)} does not use ${key}`, 'remove it')
      return [short[key] ?? name, value]
    }),
  )
}

async function configOf(
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
function sayMistaken({ short = {}, path }: AnySpec, { origin, options, file }: ResolvedConfig, ui: Ui): void {
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
