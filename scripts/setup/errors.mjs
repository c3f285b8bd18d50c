// A set-up failure that a person can act on: what happened, what to do, and the exit code.

export class SetupError extends Error {
  /** @param exitCode 2 wrong usage, 3 another process is busy, 4 something is missing on this machine */
  constructor(message, hint = '', exitCode = 4) {
    super(message)
    this.hint = hint
    this.exitCode = exitCode
  }
}

/** Prints an error as `message` and indented hint lines, and returns the exit code to leave with. */
export function explain(error) {
  if (!(error instanceof SetupError)) {
    console.error(error?.stack ?? String(error))
    return 1
  }
  const hint = error.hint ? `\n${error.hint.replace(/^/gm, '  ')}` : ''
  console.error(`\n${error.message}${hint}`)
  return error.exitCode
}

/** The last lines of a tool's output, for an error message. */
export const tail = (text, lines = 12) => text.trimEnd().split('\n').slice(-lines).join('\n')
