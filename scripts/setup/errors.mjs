// A set-up failure that a person can act on: what happened, what to do, and the exit code.

export class SetupError extends Error {
  /** @param exitCode 2 wrong usage, 3 another process is busy, 4 something is missing on this machine */
  constructor(message, hint = '', exitCode = 4) {
    super(message)
    this.hint = hint
    this.exitCode = exitCode
  }
}

const MACHINE = {
  ENOSPC: 'the disk is full: make room, then run the same command again; what is done stays done',
  EDQUOT: 'your disk quota is used up: make room, then run the same command again; what is done stays done',
  EROFS:
    'this file system is read-only: CLHA_CACHE=/some/folder and CLHA_BUILD_DIR=/some/folder move what set-up writes',
  EACCES:
    'set-up may not write there: CLHA_CACHE=/some/folder and CLHA_BUILD_DIR=/some/folder move what it writes',
}

/** What a machine refuses is no bug: an error of the file system with advice, anything else as it is. */
const known = (error) =>
  error instanceof SetupError || !MACHINE[error?.code]
    ? error
    : new SetupError(error.message, MACHINE[error.code])

/** Prints an error as `message` and indented hint lines, and returns the exit code to leave with. */
export function explain(thrown) {
  const error = known(thrown)
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
