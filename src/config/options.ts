/** The resolved config as options in camelCase. */
import { type CamelKeys, camelKeys } from '../key-names.js'
import type { ConfigValues } from './defaults.js'

/** The resolved config as the rooms below take it: `options.perDeviceTrainBatchSize`. */
export type Options = CamelKeys<ConfigValues>

export const toOptions = (values: ConfigValues): Options => camelKeys(values)
