import { defineConfig } from 'vitest/config'

// What the CPU promises, on a GPU. Left to the CPU: what names its kernels, its memory or a tensor's own bytes.
const rooms = [
  'losses',
  'optim',
  'generate',
  'reward',
  'models/{adapter,cache,deberta,divergence,pack,packed,quantized,recompute,resize,round-trip}',
  'nn/{attention,device-kernels,dropout,gated,lora,log-prob-head,rms-norm,rotary}',
  'train/{learning,lora,methods,rehearsal,resume,run}',
]

export default defineConfig({
  test: {
    pool: 'forks',
    include: ['test/cuda/*.test.ts', ...rooms.flatMap((room) => [`test/${room}.test.ts`, `test/${room}/**/*.test.ts`])],
    setupFiles: ['./test/cuda/on-gpu.ts'],
    testTimeout: 300_000,
    maxWorkers: 4,
  },
})
