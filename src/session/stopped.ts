/** Thrown through a pipeline when a signal asked to stop; what is done stays and is not done again. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}

/** What is not whole must not be taken for a result. @throws Stopped when a signal asked to stop */
export function throwIfStopped(session: { stopRequested(): boolean }): void {
  if (session.stopRequested()) throw new Stopped('stopped before it was done')
}
