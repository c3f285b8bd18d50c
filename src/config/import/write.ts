/** An imported config as YAML: our keys with where they come from, then what was left and why. */
import { stringify } from 'yaml'
import type { Imported } from './import.js'

const NAMES = { trl: 'TRL', 'llama-factory': 'LLaMA-Factory', axolotl: 'Axolotl' } as const

/** A value on one line, as YAML reads it. */
const flow = (value: unknown): string =>
  stringify(value, { collectionStyle: 'flow', lineWidth: 0, defaultStringType: 'PLAIN' }).trim()

export function importedYaml(imported: Imported, file: string): string {
  const { tool, command, values, mapped, assumed, missing, dropped } = imported
  const origin = (key: string): string => {
    const theirs = mapped.filter((entry) => entry.to === key).map((entry) => entry.key)
    if (theirs.length > 0) return theirs.every((name) => name === key) ? '' : `  # ${theirs.join(', ')}`
    return assumed.some((entry) => entry.key === key) ? `  # default of ${NAMES[tool]}` : ''
  }
  const lines = [
    `# ${NAMES[tool]}'s ${oneLine(file)} for clha: clha ${command}`,
    ...Object.entries(values).map(([key, value]) => `${key}: ${flow(value)}${origin(key)}`),
    ...listed('Without equivalent:', missing),
    ...listed('Not needed:', dropped),
  ]
  return `${lines.join('\n')}\n`
}

/** A comment ends where its line ends. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ')

function listed(title: string, entries: Imported['missing']): string[] {
  if (entries.length === 0) return []
  const lines = entries.map(({ key, value, reason }) => {
    const shown = JSON.stringify(value) ?? 'null'
    return oneLine(`#   ${key}: ${shown.length > 60 ? `${shown.slice(0, 57)}...` : shown}: ${reason}`)
  })
  return ['', `# ${title}`, ...lines]
}
