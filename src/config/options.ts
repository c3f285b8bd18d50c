/** The resolved config as options in camelCase. */
import { type Camel, type CamelKeys, camelKeys } from '../key-names.js'
import type { ConfigValues } from './defaults.js'

/** The resolved config as the rooms below take it: `options.perDeviceTrainBatchSize`. */
export type Options = CamelKeys<ConfigValues>

/** `learning_rate` as `learningRate`. */
export type OptionName<Key extends string> = Extract<Camel<Key>, keyof Options>

/** Options of which some are set for certain. */
export type OptionsWith<Needed extends string> = Options & {
  [K in OptionName<Needed>]-?: Exclude<Options[K], undefined>
}

export const toOptions = (values: ConfigValues): Options => camelKeys(values)
