/** Says in words what a key expects and what was found instead. */
import type { JsonSchema } from './schema.js'

/** What a value has to be, such as "a whole number of at least 1". */
export function expectation(schema: JsonSchema): string {
  if (schema.anyOf) return [...new Set(schema.anyOf.map(expectation))].join(' or ')
  if (schema.enum) return `one of ${schema.enum.join(', ')}`
  if (schema.examples) return `a text such as ${schema.examples.join(', ')}`
  switch (schema.type) {
    case 'integer':
      return `a whole number${range(schema)}`
    case 'number':
      return `a number${range(schema)}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return 'a list of them'
    case 'object':
      return 'a mapping'
    default:
      return 'a text'
  }
}

function range(schema: JsonSchema): string {
  const low = schema.minimum
  const high = schema.maximum === Number.MAX_SAFE_INTEGER ? undefined : schema.maximum
  const above = schema.exclusiveMinimum
  const below = schema.exclusiveMaximum
  if (low !== undefined && low > Number.MIN_SAFE_INTEGER && high !== undefined)
    return ` from ${low} to ${high}`
  if (above !== undefined && high !== undefined) return ` above ${above}, at most ${high}`
  if (low !== undefined && below !== undefined) return ` of at least ${low}, below ${below}`
  if (above !== undefined) return ` above ${above}`
  if (low !== undefined && low > Number.MIN_SAFE_INTEGER) return ` of at least ${low}`
  return ''
}

/** What was found, short enough for one line. */
export function found(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value !== 'string') return String(value)
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)
}

/** The part of a schema that a path leads to; unions are searched for a branch that knows the path. */
export function schemaAt(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema | undefined {
  if (path.length === 0) return schema
  const [step, ...rest] = path
  for (const branch of schema.anyOf ?? [schema]) {
    const next =
      typeof step === 'number'
        ? branch.items
        : (branch.properties?.[String(step)] ?? branch.additionalProperties)
    if (next && typeof next === 'object') {
      const reached = schemaAt(next, rest)
      if (reached) return reached
    }
  }
  return undefined
}

/** The values that a schema lists by name, through unions and lists. */
export function namedValues(schema: JsonSchema): string[] {
  const here = (schema.enum ?? []).filter((value) => typeof value === 'string')
  const below = [...(schema.anyOf ?? []), ...(schema.items ? [schema.items] : [])].flatMap(namedValues)
  return [...new Set([...here, ...below])]
}
