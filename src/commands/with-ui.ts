/** What stands around a command's work: a user interface, a way to stop it, and the result at the end. */
import { Stopped } from '../session/stopped.js'
import { listenForStop, stopExitCode } from '../terminal/signals.js'
import { createUi, type Ui } from '../terminal/ui.js'
import type { Io } from './io.js'

export interface WithUiOptions {
  /** The value of `--json`: JSON Lines on standard output, text on standard error. */
  json: unknown
  /** Said at the first signal, in place of the usual words. */
  stopping?: string
  /** Signals end the process: the work has nothing to save. */
  unstoppable?: boolean
}

/** @returns the result, where the work was not stopped before it had one, and the exit code of a stop that was asked for */
export async function withUi<Result extends object>(
  io: Io,
  { json, stopping, unstoppable }: WithUiOptions,
  work: (ui: Ui) => Promise<Result | undefined>,
): Promise<{ result?: Result; stopCode?: number }> {
  const ui = createUi({
    json: json === true,
    stream: json ? io.stderr : io.stdout,
    jsonStream: io.stdout,
    env: io.env,
  })
  const stopListening = unstoppable
    ? () => {}
    : listenForStop({ say: (text) => ui.line(stopping ?? text), exit: io.exit })
  try {
    const result = await work(ui).catch((error: unknown) => {
      if (error instanceof Stopped) return undefined
      throw error
    })
    ui.close()
    if (result !== undefined) ui.result(result)
    return { result, stopCode: unstoppable ? undefined : stopExitCode() }
  } finally {
    stopListening()
    ui.close()
  }
}
