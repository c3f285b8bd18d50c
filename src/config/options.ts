/** The resolved config as options in camelCase. */
import { type Camel, type CamelKeys, camelKeys } from '../key-names.js'
import type { ConfigValues } from './defaults.js'
import type { SECTIONS, SectionName } from './schema.js'

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

export const toOptions = (values: ConfigValues): Options => camelKeys(values)
