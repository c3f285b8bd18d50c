import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// The tree that is named, else the whole one where it is at hand, else the numbers that lie in the repository.
const beside = fileURLToPath(new URL('../shared/fixtures', import.meta.url))
const named = process.env.CLHA_FIXTURES
if (named && !existsSync(named)) throw new Error(`CLHA_FIXTURES: ${named}: no such folder`)
const tree = named || (existsSync(beside) ? beside : undefined)

export default defineConfig({
  test: {
    pool: 'forks',
    include: ['test/parity/**/*.test.ts'],
    reporters: ['./test/parity/reporter.ts'],
    env: tree === undefined ? {} : { CLHA_FIXTURES: resolve(tree) },
    testTimeout: 120_000,
    maxWorkers: 2,
  },
})
