/** config.json as text that transformers accepts: it checks types, and a 2 is no 2.0 to it. */
import type { HfConfig } from '../decoder/decoder-config.js'

/** Keys whose values transformers declares as float. */
const FLOAT =
  /(softcapping|_eps|_epsilon|_range|_std|_theta|_freq|_base|_pct|factor|dropout|_pdrop|layerdrop)$/
const MARK = 'clha-float:'

export function configJson(config: HfConfig): string {
  const marked = (key: string, value: unknown) =>
    typeof value === 'number' && Number.isInteger(value) && FLOAT.test(key) ? `${MARK}${value}` : value
  const text = JSON.stringify(config, marked, 2)
  return `${text.replace(new RegExp(`"${MARK}(-?\\d+)"`, 'g'), '$1.0')}\n`
}
