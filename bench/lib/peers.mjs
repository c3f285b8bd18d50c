// How suites name contenders: a worker made of the product, or a script of another tool.

/** @param spec what bench/worker.mjs runs, see there */
export const ours = (name, spec) => ({ name, worker: spec })

/**
 * @param script of bench/peers
 * @param more   `env`: environment; `needs`: a Python module without which the contender is left out
 */
export const peer = (name, script, spec, more = {}) => ({ name, script, spec, ...more })

/** glibc told to keep what is freed: what a careful user sets by hand. */
export const KEEP_MEMORY = {
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: '100000000000',
  MALLOC_TOP_PAD_: '268435456',
  MALLOC_ARENA_MAX: '1',
}
