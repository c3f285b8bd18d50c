import { defineConfig } from 'vitest/config'

// A training from start to answer on processors that this machine is not: qemu stops at an instruction they lack.
export default defineConfig({
  test: {
    pool: 'forks',
    include: ['test/emulated/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
  },
})
