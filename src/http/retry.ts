/** Tries again what may succeed later: waits longer each time, never in step with others, and as long as the server asks. */
import { setTimeout as sleep } from 'node:timers/promises'
import { HttpFailure } from './post-json.js'

export interface RetryOptions {
  /** Attempts after the first one. */
  retries: number
  /** First wait in milliseconds; it doubles each time. */
  backoffMs?: number
  signal?: AbortSignal
}

const BACKOFF = 500
/** Longest wait of our own choice, milliseconds. */
const MAX_BACKOFF = 30_000
/** Longest wait that a server may ask for, milliseconds. */
export const MAX_RETRY_AFTER = 300_000

/**
 * @param attempt is given the failure before it, undefined at first
 * @throws HttpFailure of the last attempt, saying how many there were
 */
export async function withRetries<T>(
  attempt: (before: HttpFailure | undefined) => Promise<T>,
  { retries, backoffMs = BACKOFF, signal }: RetryOptions,
): Promise<T> {
  let before: HttpFailure | undefined
  for (let n = 0; ; n++) {
    try {
      return await attempt(before)
    } catch (error) {
      if (!(error instanceof HttpFailure) || !error.options.retry || signal?.aborted) throw error
      const { retryAfterMs = 0 } = error.options
      if (n === retries || retryAfterMs > MAX_RETRY_AFTER) throw afterAttempts(error, n + 1)
      before = error
      // A model that said no number is asked again at once: nothing is overloaded.
      if (error.options.reply === undefined) await pause(Math.max(retryAfterMs, wait(n, backoffMs)), signal)
    }
  }
}

const wait = (n: number, backoffMs: number): number =>
  Math.min(MAX_BACKOFF, backoffMs * 2 ** n) * (0.5 + Math.random() / 2)

const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => {
    throw new HttpFailure('stopped')
  })

const afterAttempts = ({ message, options }: HttpFailure, attempts: number): HttpFailure =>
  new HttpFailure(attempts === 1 ? message : `${message} (${attempts} attempts)`, options)
