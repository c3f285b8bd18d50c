/** What becomes of one key of another tool: it sets keys here, is not needed, or has no equivalent. */

export type Values = Record<string, unknown>

export interface Outcome {
  /** Keys of ours. */
  set?: Values
  /** Why nothing is lost without it. */
  drop?: string
  /** Why it is lost. */
  miss?: string
}

/** @param all every key of the file, for values that depend on another */
export type Rule = (value: unknown, all: Values) => Outcome

export type RuleTable = Record<string, Rule>

/** Another name for the same; `convert` gives undefined for a value that has no equivalent. */
export const to =
  (key: string, convert: (value: unknown, all: Values) => unknown = (value) => value): Rule =>
  (value, all) => {
    const converted = convert(value, all)
    return converted === undefined ? { miss: `no such ${key} here` } : { set: { [key]: converted } }
  }

export const drop =
  (why: string): Rule =>
  () => ({ drop: why })

export const miss =
  (why: string): Rule =>
  () => ({ miss: why })

const isOff = (value: unknown) =>
  value === null || value === false || value === 0 || value === '' || value === 'none' || value === 'no'

/** A switch that matters only where it is on (or not one of `defaults`). */
export const unlessOff =
  (why: string, ...defaults: unknown[]): Rule =>
  (value) =>
    isOff(value) || defaults.includes(value) ? { drop: 'its default' } : { miss: why }

/** As `rule` where it is on. */
export const whenOn =
  (rule: Rule): Rule =>
  (value, all) =>
    isOff(value) ? { drop: 'its default' } : rule(value, all)

/** Many keys with the same fate. */
export const each = (names: string, rule: Rule): RuleTable =>
  Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, rule]),
  )

export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])

/** `a, b` or `[a, b]` as texts. */
export const texts = (value: unknown): string[] =>
  list(value)
    .flatMap((item) => String(item).split(','))
    .map((item) => item.trim())
    .filter((item) => item !== '')
