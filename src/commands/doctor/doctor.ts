/** Looks at the machine and at what was set up, and says what is missing. */
import { EXIT } from '../../exit-codes.js'
import { toJsonLine } from '../../show/json-lines.js'
import type { Outcome, TerminalOut } from '../command.js'
import { machineChecks } from './doctor-machine.js'
import { setUpChecks } from './doctor-setup.js'
import { sayChecks } from './say-checks.js'

/** @returns exit code 4 when something that clha needs is missing */
export async function doctor({ json, print }: TerminalOut): Promise<Outcome> {
  const checks = [...(await machineChecks()), ...(await setUpChecks())]
  const ok = checks.every(({ state }) => state !== 'missing')
  if (json) print(toJsonLine({ doctor: { ok, checks: checks.map((check) => ({ ...check })) } }))
  else sayChecks(print, checks)
  return { exitCode: ok ? EXIT.done : EXIT.resources }
}
