/** A check of `clha doctor` as people read it. */
import { printable } from '../../show/printable.js'
import type { Check } from './doctor-machine.js'

const MARKS = { ok: '✓', note: '·', missing: '✗' } as const

/** Of the longest name: checks are said one by one. */
const WIDTH = 'product bf16: true'.length

export function sayCheck(print: (text: string) => void, { name, state, text, advice }: Check): void {
  print(`${MARKS[state]} ${name.padEnd(WIDTH)}  ${printable(text)}\n`)
  for (const line of advice?.split('\n') ?? []) print(`${' '.repeat(WIDTH + 4)}${printable(line)}\n`)
}
