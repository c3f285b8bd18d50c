/** Several requests at a time, given up together. */

/** Milliseconds between looks at the stop request; the requests under way are then given up. */
const STOP_POLL = 100

/**
 * Runs tasks in their order, so many at a time. A stop request or the first error gives up those under way.
 * @throws what the first failing task threw
 */
export async function inParallel<Task>(
  tasks: readonly Task[],
  concurrency: number,
  run: (task: Task, signal: AbortSignal) => Promise<void>,
  stopRequested?: () => boolean,
): Promise<void> {
  const stop = new AbortController()
  const poll = setInterval(() => stopRequested?.() && stop.abort(), STOP_POLL)
  let failure: unknown
  let next = 0
  const worker = async () => {
    while (next < tasks.length && !stop.signal.aborted) await run(tasks[next++], stop.signal)
  }
  const workers = Array.from({ length: Math.min(concurrency, tasks.length) }, () =>
    worker().catch((error: unknown) => {
      // The first failure is the reason; those behind it were cut off by it.
      if (!stop.signal.aborted) failure = error
      stop.abort()
    }),
  )
  try {
    await Promise.all(workers)
  } finally {
    clearInterval(poll)
  }
  if (failure !== undefined) throw failure
}
