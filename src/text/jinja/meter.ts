/** Counts what values cost where they are printed and compared: a list may hold itself many times over. */

let spend: ((count: number) => void) | undefined

/** One value is looked at, in the budget of the template that runs. */
export function charge(count = 1): void {
  spend?.(count)
}

/** Runs something with its costs given to `to`. */
export function metered<T>(to: (count: number) => void, run: () => T): T {
  const outer = spend
  spend = to
  try {
    return run()
  } finally {
    spend = outer
  }
}
