/** Keys of other tools in a config of ours: what `config import` would make of them. */
import { foreignAdvice } from '../foreign-keys.js'
import { AXOLOTL } from './axolotl.js'
import { LLAMA_FACTORY } from './llama-factory.js'
import type { RuleTable, Values } from './rule.js'
import { TRL } from './trl.js'

const TABLES: [tool: string, table: RuleTable][] = [
  ['TRL', TRL],
  ['LLaMA-Factory', LLAMA_FACTORY],
  ['Axolotl', AXOLOTL],
]

/** @param all the keys of the file. @returns a sentence without its full stop; undefined for a key of no tool */
export function toolAdvice(key: string, all: Values): string | undefined {
  const advice = foreignAdvice(key)
  const known = TABLES.filter(([, table]) => Object.hasOwn(table, key))
  if (advice !== undefined || known.length === 0) return advice
  const value = all[key]
  const { set = {}, drop, miss } = known[0][1][key](value, all)
  const names = Object.entries(set).map(([name, ours]) =>
    ours === value ? name : `${name}: ${JSON.stringify(ours)}`,
  )
  if (names.length > 0) return `Use ${names.join(', ')}`
  const tools = known.map(([tool]) => tool).join(', ')
  return `A key of ${tools} (clha config import reads such files): ${miss ?? drop}`
}
