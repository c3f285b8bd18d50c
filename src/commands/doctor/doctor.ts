/** The checks of this machine and of the set-up, shown. */
import { EXIT } from '../../exit-codes.js'
import { toJsonLine } from '../../show/json-lines.js'
import { printable } from '../../show/printable.js'
import type { Io } from '../io.js'
import { type Check, machineChecks } from './doctor-machine.js'
import { setUpChecks } from './doctor-setup.js'

/** @returns the exit code: 4 where something is missing */
export async function doctor(io: Io, json: boolean): Promise<number> {
  const checks = [...(await machineChecks()), ...(await setUpChecks())]
  const missing = checks.filter((check) => check.state === 'missing')
  if (json)
    io.stdout.write(
      toJsonLine({ doctor: { ok: missing.length === 0, checks: checks.map((c) => ({ ...c })) } }),
    )
  else show(checks, io)
  return missing.length === 0 ? EXIT.done : EXIT.resources
}

const MARKS = { ok: '✓', note: '·', missing: '✗' } as const

function show(checks: readonly Check[], io: Io): void {
  const width = Math.max(...checks.map((check) => check.name.length))
  for (const { name, state, text, advice } of checks) {
    io.stdout.write(`${MARKS[state]} ${name.padEnd(width)}  ${printable(text)}\n`)
    for (const line of advice?.split('\n') ?? [])
      io.stdout.write(`${' '.repeat(width + 4)}${printable(line)}\n`)
  }
  const missing = checks.filter((check) => check.state === 'missing').map((check) => check.name)
  io.stdout.write(
    missing.length === 0 ? '\neverything needed is here\n' : `\nmissing: ${missing.join(', ')}\n`,
  )
}
