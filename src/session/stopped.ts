/** How a pipeline ends when a signal asked it to stop: what is done stays and is not done again. */
import { ClhaError } from '../errors.js'
import { EXIT } from '../exit-codes.js'
import type { Ui } from '../terminal/ui.js'

/** Thrown through a pipeline when a signal asked to stop. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}

/** What is not whole must not be taken for a result. @throws Stopped when a signal asked to stop */
export function throwIfStopped(session: { stopRequested(): boolean }): void {
  if (session.stopRequested()) throw new Stopped('stopped before it was done')
}

/** Whether an error says that a signal asked to stop, answers of a part included. */
export const isStop = (error: unknown): boolean =>
  error instanceof Stopped ||
  (error instanceof ClhaError && (error.exitCode === EXIT.interrupted || error.exitCode === EXIT.terminated))

/**
 * Runs what a signal may stop, and says then what is kept.
 * @param kept such as `what is done is kept: the same command goes on from here`
 * @param result of a work that was stopped; without one, Stopped is thrown on
 */
export async function sayingStop<T>(
  ui: Pick<Ui, 'line'>,
  kept: string,
  work: () => Promise<T>,
  result?: () => T,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isStop(error)) throw error
    ui.line(`stopped; ${kept}`)
    if (!result) throw error
    return result()
  }
}
