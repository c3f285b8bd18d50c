/** Looks at the machine and at what was set up, and says what is missing. */
import { EXIT } from '../../exit-codes.js'
import { toJsonLine } from '../../show/json-lines.js'
import type { Outcome, TerminalOut } from '../command.js'
import { type Check, machineChecks } from './doctor-machine.js'
import { setUpChecks } from './doctor-setup.js'
import { sayCheck } from './say-check.js'

/** Says each finding as it is made. @returns exit code 4 when something that clha needs is missing */
export async function doctor({ json, print }: TerminalOut): Promise<Outcome> {
  const checks: Check[] = []
  for (const part of [machineChecks(), setUpChecks()]) {
    for await (const check of part) {
      checks.push(check)
      if (!json) sayCheck(print, check)
    }
  }
  const missing = checks.filter(({ state }) => state === 'missing').map(({ name }) => name)
  const ok = missing.length === 0
  if (json) print(toJsonLine({ doctor: { ok, checks: checks.map((check) => ({ ...check })) } }))
  else print(ok ? '\neverything needed is here\n' : `\nmissing: ${missing.join(', ')}\n`)
  return { exitCode: ok ? EXIT.done : EXIT.resources }
}
