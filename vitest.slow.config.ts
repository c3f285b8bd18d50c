import { defineConfig } from 'vitest/config'

// Faults injected at every operation, processes killed, and mutated files: minutes, not seconds.
export default defineConfig({
  test: {
    pool: 'forks',
    include: ['test/faults/**/*.test.ts', 'test/fuzz/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
})
