/** Which `model_type` is which family. A family is one row. */
import { usageError } from '../errors.js'
import { ConfigReader, type DecoderConfig, type HfConfig } from './config.js'
import { llamaConfig } from './llama.js'

type Family = (read: ConfigReader, where: string) => DecoderConfig

const FAMILIES: Record<string, Family> = { llama: llamaConfig }

/** @throws ClhaError (exit 2) for a family or a setting that this decoder does not compute. */
export function decoderConfig(config: HfConfig, where = 'config.json'): DecoderConfig {
  const type = String(config.model_type)
  const family = Object.hasOwn(FAMILIES, type) ? FAMILIES[type] : undefined
  if (!family) {
    throw usageError(
      `${where}: model_type "${type}" is not supported`,
      `supported: ${Object.keys(FAMILIES).join(', ')}`,
    )
  }
  const decoder = family(new ConfigReader(config, where), where)
  if (decoder.heads % decoder.kvHeads !== 0) {
    throw usageError(
      `${where}: ${decoder.heads} query heads are not a multiple of ${decoder.kvHeads} key-value heads`,
    )
  }
  return decoder
}
