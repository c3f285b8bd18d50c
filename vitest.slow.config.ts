import { defineConfig } from 'vitest/config'

// Faults injected at every operation, processes killed, and mutated files: minutes, not seconds.
export default defineConfig({
  test: {
    pool: 'forks',
    include: ['test/faults/**/*.test.ts', 'test/fuzz/**/*.test.ts'],
    // Nothing is held against a clock: these end what hangs, on a machine that is busy with other work as well.
    testTimeout: 3_600_000,
    hookTimeout: 1_200_000,
    maxWorkers: 2,
  },
})
