/** The one place where snake_case keys become camelCase options. Nested mappings keep their names. */
import type { ConfigValues } from './defaults.js'
import type { SECTIONS, SectionName } from './schema.js'

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S

export type CamelKeys<T> = { [K in keyof T as K extends string ? Camel<K> : never]: T[K] }

/** The resolved config as the rooms below take it: `options.perDeviceTrainBatchSize`. */
export type Options = CamelKeys<ConfigValues>

/** `learning_rate` as `learningRate`. */
export type OptionName<Key extends string> = Extract<Camel<Key>, keyof Options>

/** The options of some sections of the config. */
export type SectionOptions<Name extends SectionName> = Pick<
  Options,
  Name extends SectionName ? OptionName<keyof (typeof SECTIONS)[Name] & string> : never
>

/** Options of which some are set for certain. */
export type OptionsWith<Needed extends string> = Options & {
  [K in OptionName<Needed>]-?: Exclude<Options[K], undefined>
}

export const camelCase = (key: string): string =>
  key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

export const snakeCase = (name: string): string =>
  name.replace(/[A-Z]|\d(?=[a-z])/g, (letter) => `_${letter.toLowerCase()}`)

export const camelKeys = <T extends object>(values: T): CamelKeys<T> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [camelCase(key), value])) as CamelKeys<T>

export const toOptions = (values: ConfigValues): Options => camelKeys(values)
