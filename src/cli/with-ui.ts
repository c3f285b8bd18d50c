/** What stands around a command's work: a user interface, a way to stop it, and the result at the end. */
import type { Outcome } from '../commands/command.js'
import { Stopped } from '../session/stopped.js'
import { listenForStop, stopExitCode } from '../terminal/signals.js'
import { createUi, type Ui } from '../terminal/ui.js'
import type { Io } from './io.js'

export interface WithUiOptions {
  /** JSON Lines on standard output, text on standard error. */
  json: boolean
  /** Said at the first signal, in place of the usual words. */
  stopping?: string
  /** Signals end the process: the work has nothing to save. */
  unstoppable?: boolean
}

/** @returns the exit code: the command's own, else that of a stop that was asked for, else 0 */
export async function withUi(
  io: Io,
  { json, stopping, unstoppable }: WithUiOptions,
  work: (ui: Ui) => Promise<Outcome>,
): Promise<number> {
  const ui = createUi({ json, stream: json ? io.stderr : io.stdout, jsonStream: io.stdout, env: io.env })
  const stopListening = unstoppable
    ? () => {}
    : listenForStop({ say: (text) => ui.line(stopping ?? text), exit: io.exit })
  try {
    const outcome = await work(ui).catch((error: unknown): Outcome => {
      if (error instanceof Stopped) return {}
      throw error
    })
    ui.close()
    if (outcome.result !== undefined) ui.result(outcome.result)
    return outcome.exitCode ?? (unstoppable ? undefined : stopExitCode()) ?? 0
  } finally {
    stopListening()
    ui.close()
  }
}
