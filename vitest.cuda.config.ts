import { defineConfig } from 'vitest/config'

// What the CPU promises, on a GPU: tests of numbers, models and training run there as they are, and some hold one against the other.
const rooms = 'tensor,nn,losses,optim,models,train,generate,reward,evaluate'

export default defineConfig({
  test: {
    pool: 'forks',
    include: ['test/cuda/**/*.test.ts', `test/{${rooms}}/**/*.test.ts`],
    // They choose devices themselves.
    exclude: ['test/tensor/device.test.ts', 'test/models/device.test.ts'],
    setupFiles: ['./test/cuda/on-gpu.ts'],
    testTimeout: 300_000,
    maxWorkers: 4,
  },
})
