/** A resolved config as YAML that says of each key what it means and who set it; reading it back gives the same. */
import { parse } from 'yaml'
import type { ResolvedConfig } from './load-config.js'
import { idleReason } from './rules.js'
import { type ConfigKey, configSchema, SECTIONS, type SectionName } from './schema.js'
import { SECTION_TITLES } from './sections.js'

/** Keys without a value are commented out; keys that have no effect in this mode or method are left out. */
export function showConfig(config: ResolvedConfig): string {
  const properties = configSchema().properties
  const given = (key: ConfigKey) => config.origin[key] === 'file' || config.origin[key] === 'flag'
  const parts: string[] = []
  for (const [section, keys] of Object.entries(SECTIONS)) {
    const lines: string[] = []
    for (const key of Object.keys(keys) as ConfigKey[]) {
      if (idleReason(key, config.values, given) || isImplied(key, config)) continue
      lines.push(`# ${properties[key].description}`, entry(key, config), '')
    }
    if (lines.length > 0) parts.push(`# --- ${SECTION_TITLES[section as SectionName]} ---`, '', ...lines)
  }
  return parts.join('\n')
}

/** A default that gives way to another key: written out, it would contradict that key. */
function isImplied(key: ConfigKey, { values, origin }: ResolvedConfig): boolean {
  if (origin[key] === 'file' || origin[key] === 'flag') return false
  if (key === 'num_train_epochs') return values.max_steps !== undefined
  if (key === 'warmup_ratio') return values.warmup_steps !== undefined
  if (key === 'dev_fraction') return values.eval_dataset !== undefined
  if (key === 'gate_quantile') return values.gate_level !== undefined
  return false
}

const ORIGIN_WORDS = {
  file: 'set',
  flag: 'flag',
  mode: 'mode',
  default: 'default',
  derived: 'derived',
  unset: '',
}

function entry(key: ConfigKey, { values, origin }: ResolvedConfig): string {
  const value = values[key]
  if (value === undefined) return `# ${key}:`
  return `${key}: ${flow(value)}  # ${ORIGIN_WORDS[origin[key]]}`
}

/** A value on one line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([key, inner]) => `${flow(key)}: ${flow(inner)}`)
    return `{${pairs.join(', ')}}`
  }
  if (typeof value !== 'string') return String(value)
  // Plain only where YAML would read the same text back.
  return /^[A-Za-z_./][\w./-]*$/.test(value) && parse(value) === value ? value : JSON.stringify(value)
}
