import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../helpers/folders.js'

const run = promisify(execFile)
const native = join(import.meta.dirname, '../../native')

// Without OpenMP's variables: with any of them libgomp would be in use.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^G?OMP_/.test(name)))

test.skipIf(process.platform !== 'linux' || process.env.CXX?.includes('clang'))(
  'all that libtorch does with OpenMP comes out right, however few threads are called and however they wait',
  async () => {
    const program = join(temporaryFolder(), 'threads-stress')
    const units = ['team.cc', 'exports.cc', 'shares.cc', 'binding.cc'].map((file) =>
      join(native, 'runtime/threads', file),
    )
    await run(process.env.CXX || 'g++', [
      ...['-std=c++20', '-O1', '-fopenmp', '-rdynamic', '-I', native, '-o', program],
      join(import.meta.dirname, 'threads_stress.cc'),
      ...units,
    ])
    const { stdout } = await run(program, ['10'], { env })
    expect(stdout).toBe('all right\n')
  },
  300_000,
)
