/** Tries again after errors that may pass, with growing pauses. */
import { isTransient, SyncFailure } from '../../files/storage-error.js'

export type Pause = (milliseconds: number) => void

const PAUSES = [100, 400, 1600]

/** Blocks the thread: the training loop is synchronous within a step. */
export const sleep: Pause = (milliseconds) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

/** Runs `action`, and up to three times again after a transient error. A failed fsync is final. */
export function withRetries<T>(action: () => T, pause: Pause = sleep): T {
  for (const milliseconds of PAUSES) {
    try {
      return action()
    } catch (error) {
      if (error instanceof SyncFailure || !isTransient(error)) throw error
      pause(milliseconds)
    }
  }
  return action()
}
