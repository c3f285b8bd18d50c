/** The streams and the environment of a call, so that tests can bring their own. */
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { TerminalOut } from '../commands/command.js'

export interface Io {
  stdin: Readable
  stdout: Writable & { isTTY?: boolean; columns?: number }
  stderr: Writable & { isTTY?: boolean; columns?: number }
  env: NodeJS.ProcessEnv
  /** Leaves at once, for the second Ctrl-C. */
  exit(code: number): void
}

/** The process's own. A pipe that its reader closed (`| head`) is no error: the work goes on unheard. */
export function processIo(): Io {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.listeners('error').includes(ignoreClosedPipe)) continue
    stream.on('error', ignoreClosedPipe)
  }
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    exit: (code) => process.exit(code),
  }
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

/** The lines of standard input; nothing is read before the first one is asked for. */
export async function* inputLines(io: Io): AsyncGenerator<string> {
  const lines = createInterface({ input: io.stdin })
  try {
    yield* lines
  } finally {
    lines.close()
  }
}

/** @param json text goes to standard error, so that standard output holds JSON alone */
export function terminalOut(io: Io, json: boolean): TerminalOut {
  const stream = json ? io.stderr : io.stdout
  return {
    json,
    colors: stream.isTTY === true && !io.env.NO_COLOR && io.env.TERM !== 'dumb',
    print: (text) => void io.stdout.write(text),
    say: (text) => void stream.write(text),
  }
}
