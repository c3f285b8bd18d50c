/** When the next request may go: a server's limit a minute, and the rest that it asks for. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Pace {
  /** Waits for a turn. @throws the signal's reason when it is given up */
  turn(signal?: AbortSignal): Promise<void>
  /** No request begins for so long, whoever would send it. */
  rest(milliseconds: number): void
}

/** @param perMinute most requests a minute; left out: no limit */
export function createPace(perMinute?: number, now: () => number = () => performance.now()): Pace {
  const gap = perMinute === undefined ? 0 : 60_000 / perMinute
  let free = 0
  return {
    async turn(signal) {
      for (let wait = free - now(); wait > 0; wait = free - now()) await sleep(wait, undefined, { signal })
      free = now() + gap
    },
    rest(milliseconds) {
      free = Math.max(free, now() + milliseconds)
    },
  }
}
