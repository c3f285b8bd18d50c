/** The checks of `clha doctor` as people read them. */
import { printable } from '../../show/printable.js'
import type { Check } from './doctor-machine.js'

const MARKS = { ok: '✓', note: '·', missing: '✗' } as const

export function sayChecks(print: (text: string) => void, checks: readonly Check[]): void {
  const width = Math.max(...checks.map((check) => check.name.length))
  for (const { name, state, text, advice } of checks) {
    print(`${MARKS[state]} ${name.padEnd(width)}  ${printable(text)}\n`)
    for (const line of advice?.split('\n') ?? []) print(`${' '.repeat(width + 4)}${printable(line)}\n`)
  }
  const missing = checks.filter((check) => check.state === 'missing').map((check) => check.name)
  print(missing.length === 0 ? '\neverything needed is here\n' : `\nmissing: ${missing.join(', ')}\n`)
}
