/** One call of `clha`: parse, run, and turn what went wrong into a message and an exit code. */
import { readFileSync } from 'node:fs'
import { CommanderError } from '@commander-js/extra-typings'
import type { Command } from '../commands/command.js'
import { COMMANDS } from '../commands/index.js'
import { knownError } from '../errors.js'
import { EXIT } from '../exit-codes.js'
import { toJsonLine } from '../show/json-lines.js'
import { printable } from '../show/printable.js'
import { type Io, processIo } from './io.js'
import { createProgram } from './program.js'

/** Help with every flag. */
const HELP_ALL = '--help-all'

/**
 * @param argv arguments after `clha`
 * @returns the exit code; nothing is thrown
 */
export async function main(
  argv: readonly string[],
  io: Io = processIo(),
  commands: readonly Command[] = COMMANDS,
): Promise<number> {
  let code: number = EXIT.done
  try {
    const all = argv.includes(HELP_ALL)
    const program = createProgram(commands, io, {
      all,
      version: version(),
      finish(exitCode) {
        code = exitCode
      },
    })
    await program.parseAsync(all ? argv.map((arg) => (arg === HELP_ALL ? '--help' : arg)) : [...argv], {
      from: 'user',
    })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.code === 'commander.help' ? EXIT.usage : EXIT.done
    return report(error, io, argv.includes('--json'))
  }
}

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
    .version

/** Says what went wrong, and what to do; the stack only of a bug, and only when asked for. */
function report(error: unknown, io: Io, json: boolean): number {
  const known = knownError(error)
  const message = known?.message ?? `unexpected: ${error instanceof Error ? error.message : String(error)}`
  const hint = known ? known.hint : 'this is a bug in clha; CLHA_DEBUG=1 shows where'
  const exitCode = known?.exitCode ?? EXIT.bug
  const indented = hint === undefined ? '' : `\n${hint.replace(/^/gm, '  ')}`
  io.stderr.write(`${printable(message + indented)}\n`)
  if (io.env.CLHA_DEBUG === '1' && error instanceof Error)
    io.stderr.write(`${printable(error.stack ?? '')}\n`)
  if (json) io.stdout.write(toJsonLine({ error: { message, hint, exitCode } }))
  return exitCode
}
