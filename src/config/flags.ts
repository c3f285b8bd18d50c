/** Flags are the keys in kebab case; their texts become the values that the schema expects. */
import { parse } from 'yaml'
import { namedValues } from './describe.js'
import { type ConfigKey, configSchema, isOptional, type JsonSchema, keyZod } from './schema.js'

/** `learning_rate` -> `--learning-rate`. */
export const flagName = (key: string): string => `--${key.replaceAll('_', '-')}`

export type FlagKind = 'switch' | 'list' | 'value'

export interface FlagSpec {
  key: ConfigKey
  /** Such as `--learning-rate`. */
  flag: string
  kind: FlagKind
  /** What stands for the value in help, such as `<number>`. */
  placeholder: string
  description: string
  /** The default in words, empty when the description tells it. */
  default: string
}

/** More names than this stand in the description, not in the placeholder. */
const SHOWN_NAMES = 4

/** How a key looks on the command line. */
export function flagSpec(key: ConfigKey): FlagSpec {
  const schema = configSchema().properties[key]
  const branches = schema.anyOf ?? [schema]
  const kind =
    schema.type === 'boolean' ? 'switch' : branches.some((b) => b.type === 'array') ? 'list' : 'value'
  const value = schema.default
  const names = namedValues(schema)
  const shown = value === undefined || value === false || (Array.isArray(value) && value.length === 0)
  return {
    key,
    flag: flagName(key),
    kind,
    placeholder: placeholder(schema),
    description: `${schema.description ?? ''}${names.length > SHOWN_NAMES ? ` (${names.join(', ')})` : ''}`,
    default: shown ? '' : [value].flat().join(', '),
  }
}

function placeholder(schema: JsonSchema): string {
  const names = namedValues(schema)
  if (names.length > SHOWN_NAMES) return '<name>'
  if (names.length > 0) return `<${names.join('|')}>`
  const type = schema.type ?? schema.anyOf?.[0].type
  return type === 'integer' || type === 'number'
    ? '<number>'
    : type === 'object'
      ? '<mapping|path>'
      : '<text>'
}

/**
 * A flag's text (or texts, when it was given more than once) as a value: text where the key takes text, else read
 * as YAML, so that `3`, `true`, `null` and `{hidden_size: 64}` mean what they mean in a config.
 */
export function flagValue(key: ConfigKey, given: unknown): unknown {
  const schema = keyZod(key)
  if (Array.isArray(given)) {
    if (given.length === 1) return flagValue(key, given[0])
    if (schema.safeParse(given).success) return given
    return given.map((one: unknown) => (typeof one === 'string' ? readYaml(one) : one))
  }
  if (typeof given !== 'string') return given
  if (given === 'null' && isOptional(key)) return null
  const read = readYaml(given)
  const prefersRead = typeof read === 'boolean' || (typeof read === 'object' && read !== null)
  if (prefersRead && schema.safeParse(read).success) return read
  if (schema.safeParse(given).success) return given
  return read === null ? given : read
}

function readYaml(content: string): unknown {
  try {
    return parse(content)
  } catch {
    return content
  }
}
