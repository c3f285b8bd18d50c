/** From a YAML file and flags to a resolved config; everything that is wrong is told at once. */
import { usageError } from '../errors.js'
import { snakeCase } from '../key-names.js'
import { conflicts } from './conflicts.js'
import { type ConfigValues, type Origin, withDefaults } from './defaults.js'
import { flagName, flagValue } from './flags.js'
import { foreignAdvice } from './foreign-keys.js'
import { checkValue } from './issues.js'
import { type OptionsWith, toOptions } from './options.js'
import { idleReason } from './rules.js'
import {
  CONFIG_KEYS,
  type ConfigKey,
  configZod,
  isConfigKey,
  isOptional,
  type ParsedConfig,
} from './schema.js'
import { type ConfigIssue, type ConfigSource, parseSource, readSource } from './source.js'
import { didYouMean, suggest } from './suggest.js'

/** `Needed` are keys that are set for certain. */
export interface ResolvedConfig<Needed extends ConfigKey = never> {
  /** Every key, defaults filled in, in the names of the YAML. */
  values: ConfigValues
  /** The same, in camelCase, for the rooms. */
  options: OptionsWith<Needed>
  /** Who set each key. */
  origin: Record<ConfigKey, Origin>
  /** The YAML file, as it was named. */
  file?: string
}

/**
 * Reads a config. Flags win over the file. A key without a value in a YAML means "not set" where a key may be unset.
 * @param file  YAML; paths in it are relative to the working directory, as in TRL
 * @param flags values or texts by key, in camelCase, kebab-case or snake_case
 * @param name  of the run folder below runs/, when there is no file to name it
 * @throws ClhaError (exit code 2) with one line for every issue, such as
 *   `my.yaml:7:1  unknown key "learning_rat". Did you mean "learning_rate"?`
 */
export async function loadConfig(
  file: string | undefined,
  flags: Record<string, unknown> = {},
  name = 'clha',
): Promise<ResolvedConfig> {
  const source = file === undefined ? undefined : await readSource(file)
  if (source === undefined || Object.keys(source.values).every(isConfigKey))
    return resolve(source, flags, name)
  const { toolAdvice } = await import('./import/tool-keys.js')
  return resolve(source, flags, name, (key) => toolAdvice(key, source.values))
}

/** As `loadConfig`, from the text of a config. */
export const parseConfig = (
  file: string,
  content: string,
  flags: Record<string, unknown> = {},
): ResolvedConfig => resolve(parseSource(file, content), flags, 'clha')

function resolve(
  source: ConfigSource | undefined,
  flags: Record<string, unknown>,
  name: string,
  advise: (key: string) => string | undefined = foreignAdvice,
): ResolvedConfig {
  const issues: ConfigIssue[] = [...(source?.issues ?? [])]
  const given: Given = new Map()
  const take = (name: string, raw: unknown, from: 'file' | 'flag', where: string) => {
    if (!isConfigKey(name)) {
      issues.push({ where, text: unknownKey(name, advise(name)) })
      return
    }
    const value = from === 'flag' ? flagValue(name, raw) : raw
    // null unsets a key that need not be set.
    if (value === null && isOptional(name)) given.delete(name)
    else given.set(name, { value, from })
  }
  for (const [name, value] of Object.entries(source?.values ?? {}))
    take(name, value, 'file', source!.locate([name], 'key'))
  const ofFile: Given = new Map(given)
  for (const [name, value] of Object.entries(flags)) {
    const key = snakeCase(name.replace(/^--/, '').replaceAll('-', '_'))
    if (value !== undefined) take(key, value, 'flag', flagName(key))
  }
  const where = (path: readonly PropertyKey[], part: 'key' | 'value') =>
    given.get(path[0] as ConfigKey)?.from === 'file' ? source!.locate(path, part) : flagName(String(path[0]))
  for (const [key, { value }] of given) {
    for (const issue of checkValue(key, value))
      issues.push(tell(key, where(issue.path, issue.part), issue.text))
  }
  stopOn(inFileOrder(issues))

  for (const key of overruled(given, ofFile)) given.delete(key)
  const { values, originOf } = completed(given, source?.file ?? name)
  stopOn(
    ruleIssues(
      values,
      (key) => given.has(key),
      (key) => where([key], 'key'),
    ),
  )
  const origin = Object.fromEntries(CONFIG_KEYS.map((key) => [key, given.get(key)?.from ?? originOf(key)]))
  return {
    values,
    options: toOptions(values),
    origin: origin as Record<ConfigKey, Origin>,
    file: source?.file,
  }
}

/** Values by key, and who set them. */
type Given = Map<ConfigKey, { value: unknown; from: 'file' | 'flag' }>

/** Valid values with what follows from them. */
function completed(given: Given, file: string) {
  const parsed = configZod.parse(Object.fromEntries([...given].map(([key, { value }]) => [key, value])))
  const explicit = Object.fromEntries([...given.keys()].map((key) => [key, parsed[key]]))
  return withDefaults(explicit as Partial<ParsedConfig>, file)
}

/** Keys of the file that have an effect until a flag decides: flags win over the file. */
function overruled(given: Given, ofFile: Given): ConfigKey[] {
  const idleIn = (all: Given): ConfigKey[] => {
    const { values } = completed(all, '')
    return [...all.keys()].filter((key) => idleReason(key, values, (other) => all.has(other)))
  }
  const idle = idleIn(given).filter((key) => given.get(key)?.from === 'file')
  if (idle.length === 0) return []
  const valid = [...ofFile].filter(([key, { value }]) => checkValue(key, value).length === 0)
  const before = idleIn(new Map(valid))
  return idle.filter((key) => !before.includes(key))
}

function unknownKey(name: string, advice: string | undefined): string {
  return `unknown key "${name}".${advice ? ` ${advice}.` : didYouMean(suggest(name, CONFIG_KEYS))}`
}

function ruleIssues(
  values: ConfigValues,
  given: (key: ConfigKey) => boolean,
  where: (key: ConfigKey) => string,
): ConfigIssue[] {
  const issues: ConfigIssue[] = []
  for (const key of CONFIG_KEYS.filter(given)) {
    const reason = idleReason(key, values, given)
    if (reason) issues.push({ where: where(key), text: `${key} has no effect: ${reason}` })
  }
  for (const [key, reason] of conflicts(values)) issues.push({ where: where(key), text: `${key} ${reason}` })
  return issues
}

/** A flag names its key already. */
const tell = (key: ConfigKey, where: string, text: string): ConfigIssue => ({
  where,
  text: where === flagName(key) ? text.replace(`${key}: `, '') : text,
})

/** By line and column; flags come last. */
function inFileOrder(issues: ConfigIssue[]): ConfigIssue[] {
  const place = ({ where }: ConfigIssue): number => {
    const [line, column] = where.startsWith('--') ? [1e9, 0] : where.split(':').slice(-2).map(Number)
    return line * 1e4 + column
  }
  return issues.toSorted((a, b) => place(a) - place(b))
}

function stopOn(issues: ConfigIssue[]): void {
  if (issues.length === 0) return
  const lines = issues.map(({ where, text }) => `${where}  ${text}`)
  throw usageError(lines.join('\n'))
}
