/** A request to stop: the first signal ends the run after its step, a second Ctrl-C ends it at once. */
import { EXIT, type ExitCode } from '../exit-codes.js'

type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

const SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

let received: StopSignal | undefined

const USUAL = 'stopping after this step …'
let words = USUAL

/** What is said at the first signal, where it is not a step that is waited for. */
export function sayAtStop(text: string): void {
  words = text
}

/** Whether the run is to save and stop; asked after every step. */
export const stopRequested = (): boolean => received !== undefined

/** The exit code of a run that a signal ended; undefined when none did. */
export function stopExitCode(): ExitCode | undefined {
  if (received === undefined) return undefined
  return received === 'SIGINT' ? EXIT.interrupted : EXIT.terminated
}

export interface SignalOptions {
  /** Says that the run stops. */
  say(text: string): void
  /** Leaves at once. */
  exit(code: number): void
  /** Where the signals come from; the process when left out. */
  source?: NodeJS.EventEmitter
}

/** Listens until the returned function is called. Saving is the run's own task; this only sets the flag. */
export function listenForStop({ say, exit, source = process }: SignalOptions): () => void {
  received = undefined
  words = USUAL
  const handlers = SIGNALS.map((signal) => {
    const handler = () => {
      if (received !== undefined) {
        if (signal === 'SIGINT') exit(EXIT.interrupted)
        return
      }
      received = signal
      say(`${words} (Ctrl-C again: at once)`)
    }
    source.on(signal, handler)
    return [signal, handler] as const
  })
  return () => {
    for (const [signal, handler] of handlers) source.off(signal, handler)
    received = undefined
  }
}
