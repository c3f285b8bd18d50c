// Ctrl-C and SIGTERM: the programs that set-up runs are ended, no new one is started, and what is held is given back.
import { SetupError } from './errors.mjs'

const CODES = { SIGINT: 130, SIGTERM: 143 }
const GRACE_MS = 3000

const children = new Set()
let stoppedBy

/** @throws SetupError after a signal; asked before anything that takes long */
export function throwIfStopped() {
  if (stoppedBy)
    throw new SetupError('set-up was stopped', 'the same command goes on where it stopped', CODES[stoppedBy])
}

/** Ends the program with set-up; call what is returned once it has ended. */
export function endWithSetup(child) {
  children.add(child)
  return () => children.delete(child)
}

/** Runs `work`; a signal makes it end soon, with the error of `throwIfStopped`. A second one ends the process at once. */
export async function untilStopped(work) {
  const stop = (signal) => {
    stoppedBy = signal
    for (const child of children) {
      child.kill('SIGTERM')
      setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref()
    }
  }
  for (const signal of Object.keys(CODES)) process.once(signal, stop)
  try {
    const result = await work()
    throwIfStopped()
    return result
  } catch (error) {
    throwIfStopped()
    throw error
  } finally {
    for (const signal of Object.keys(CODES)) process.off(signal, stop)
  }
}
