/** When the next request may go: a server's limit a minute, and the rest that it asks for. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Pace {
  /** Waits for a turn. @throws the signal's reason when it is given up */
  turn(signal?: AbortSignal): Promise<void>
  /** No request begins for so long, whoever would send it. */
  rest(milliseconds: number): void
}

export interface Clock {
  /** Milliseconds, any origin. */
  now(): number
  sleep(milliseconds: number, signal?: AbortSignal): Promise<unknown>
}

const CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
}

/** @param perMinute most requests a minute, evenly; left out: no limit */
export function createPace(perMinute?: number, clock = CLOCK): Pace {
  const gap = perMinute === undefined ? 0 : 60_000 / perMinute
  let free = 0
  return {
    async turn(signal) {
      for (let wait = free - clock.now(); wait > 0; wait = free - clock.now()) await clock.sleep(wait, signal)
      free = clock.now() + gap
    },
    rest(milliseconds) {
      free = Math.max(free, clock.now() + milliseconds)
    },
  }
}
