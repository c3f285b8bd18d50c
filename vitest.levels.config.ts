import { defineConfig } from 'vitest/config'
import { levelProject, NARROWER } from './vitest.levels.js'

// All fast tests at each level below that of most processors.
export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 60_000,
    maxWorkers: 2,
    projects: NARROWER.map((level) =>
      levelProject(level, ['test/**/*.test.ts'], ['test/faults/**', 'test/fuzz/**', 'test/e2e/**', 'test/cuda/**', 'test/parity/**']),
    ),
  },
})
