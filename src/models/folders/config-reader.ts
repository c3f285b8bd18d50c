/** Reads config.json key by key and remembers which keys were asked for: what nobody asked for is not computed. */
import { usageError } from '../../errors.js'

/** config.json as it stands. */
export type HfConfig = Record<string, unknown>

const MOST_LAYERS = 10_000

const show = (value: unknown) => JSON.stringify(value)

/** Keys of config.json, with the type that is expected of each. A null counts as absent. */
export class ConfigReader {
  private readonly asked = new Set<string>()
  private readonly nested = new Map<string, ConfigReader>()

  constructor(
    readonly config: HfConfig,
    readonly where: string,
    private readonly path = '',
  ) {}

  private value(key: string): unknown {
    this.asked.add(key)
    return this.config[key] ?? undefined
  }

  number(key: string, fallback?: number): number {
    const value = this.value(key) ?? fallback
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.wrong(key, 'a number')
    return value
  }

  /** A positive whole number. */
  size(key: string, fallback?: number): number {
    const value = this.number(key, fallback)
    if (!Number.isInteger(value) || value < 1) throw this.wrong(key, 'a positive whole number')
    // Each layer has names and modules of its own before a weight is looked for.
    if (/layers?$/.test(key) && value > MOST_LAYERS) throw this.wrong(key, `at most ${MOST_LAYERS}`)
    return value
  }

  /** A positive number; undefined where the key is null, `fallback` where it is absent. */
  optional(key: string, fallback?: number): number | undefined {
    if (!Object.hasOwn(this.config, key)) return fallback
    const value = this.value(key)
    if (value === undefined) return undefined
    if (typeof value !== 'number' || !(value > 0)) throw this.wrong(key, 'a positive number or null')
    return value
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.value(key) ?? fallback
    if (typeof value !== 'boolean') throw this.wrong(key, 'true or false')
    return value
  }

  /** One of the keys of `choices`. */
  choice<T>(key: string, choices: Readonly<Record<string, T>>, fallback: string): T {
    const value = this.value(key) ?? fallback
    if (typeof value === 'string' && Object.hasOwn(choices, value)) return choices[value]
    throw usageError(
      `${this.where}: "${this.path}${key}": ${show(value)} is not supported`,
      `this decoder computes ${Object.keys(choices).map(show).join(', ')}`,
    )
  }

  /** One of the keys of `choices` for each layer; undefined where the key is absent. */
  perLayer<T>(key: string, layers: number, choices: Readonly<Record<string, T>>): T[] | undefined {
    const value = this.value(key)
    if (value === undefined) return undefined
    const known = (x: unknown): x is string => typeof x === 'string' && Object.hasOwn(choices, x)
    if (!Array.isArray(value) || value.length !== layers || !value.every(known))
      throw this.wrong(key, `${layers} of ${Object.keys(choices).map(show).join(', ')}`)
    return value.map((x) => choices[x])
  }

  /** The mapping under a key; undefined where it is absent. */
  mapping(key: string): ConfigReader | undefined {
    const value = this.value(key)
    if (value === undefined) return undefined
    if (typeof value !== 'object' || Array.isArray(value)) throw this.wrong(key, 'a mapping')
    const inner =
      this.nested.get(key) ?? new ConfigReader(value as HfConfig, this.where, `${this.path}${key}.`)
    this.nested.set(key, inner)
    return inner
  }

  /** The key must be absent, null or one of the values that this decoder computes. */
  only(key: string, ...allowed: unknown[]): void {
    const value = this.value(key)
    if (value !== undefined && !allowed.includes(value)) {
      throw usageError(
        `${this.where}: "${this.path}${key}": ${show(value)} is not supported`,
        `this decoder computes ${allowed.map(show).join(', ')}`,
      )
    }
  }

  /** Keys that the family has, but computes nothing from. */
  ignore(...keys: string[]): void {
    for (const key of keys) this.asked.add(key)
  }

  /** Keys that nobody asked for, with their values; `rope_parameters.factor` for one inside of a mapping. */
  unread(): [string, unknown][] {
    const own = Object.entries(this.config).filter(([key]) => !this.asked.has(key))
    return [
      ...own.map(([key, value]): [string, unknown] => [this.path + key, value]),
      ...[...this.nested.values()].flatMap((inner) => inner.unread()),
    ]
  }

  private wrong(key: string, expected: string) {
    return usageError(
      `${this.where}: "${this.path}${key}" must be ${expected}, found ${show(this.config[key] ?? null)}`,
    )
  }
}
