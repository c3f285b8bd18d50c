import { defineConfig } from 'vitest/config'

// An addon that crashes takes only its own file down when every file has a process of its own.
export default defineConfig({
  test: {
    pool: 'forks',
    include: ['test/**/*.test.ts'],
    exclude: ['test/faults/**', 'test/fuzz/**', 'test/e2e/**', 'test/cuda/**'],
    testTimeout: 60_000,
    maxWorkers: 2,
  },
})
