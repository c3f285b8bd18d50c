import { defineConfig } from 'vitest/config'
import { LEVEL_TESTS, levelProject, NARROWER } from './vitest.levels.js'

const narrower = process.arch === 'x64' && !process.env.CLHA_CPU_LEVEL ? NARROWER : []

// An addon that crashes takes only its own file down when every file has a process of its own.
export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 60_000,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'own level',
          include: ['test/**/*.test.ts'],
          exclude: ['test/faults/**', 'test/fuzz/**', 'test/e2e/**', 'test/cuda/**', 'test/emulated/**'],
          // Two workers share the cores: threads that wait must not spin.
          env: { OMP_WAIT_POLICY: 'passive' },
        },
      },
      ...narrower.map((level) => levelProject(level, LEVEL_TESTS)),
    ],
  },
})
