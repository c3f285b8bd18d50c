import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { native } from '../../src/tensor/index.js'
import { temporaryFolder } from '../helpers/folders.js'
import { compileSources } from '../helpers/sources.js'

const plan = (size: number, cores: number, others: number, wasBusy = false) =>
  native().threadPlan(size, cores, others, wasBusy)

test('alone, all threads are called and wait with patience; a fifth of a core is not counted', () => {
  for (const others of [0, 0.2, 0.39]) {
    expect(plan(2, 2, others)).toEqual({ active: 2, spinNs: 5_000_000, busy: false })
    expect(plan(16, 16, others)).toMatchObject({ active: 16, busy: false })
  }
})

test('of the cores as many threads are called as others leave, at least one, and they wait shortly', () => {
  expect(plan(2, 2, 1)).toEqual({ active: 1, spinNs: 50_000, busy: true })
  expect(plan(2, 2, 0.45)).toMatchObject({ active: 2, busy: true })
  expect(plan(16, 16, 1)).toMatchObject({ active: 15 })
  expect(plan(16, 16, 15.8)).toMatchObject({ active: 1 })
  expect(plan(2, 2, 2)).toMatchObject({ active: 1 })
  // A team smaller than the machine is not disturbed by those who have cores of their own, but does not spin for long.
  expect(plan(4, 16, 8)).toMatchObject({ active: 4, busy: true })
})

test('a machine that was busy counts as busy until others take less than a quarter of a core', () => {
  expect(plan(2, 2, 0.3, true).busy).toBe(true)
  expect(plan(2, 2, 0.3, false).busy).toBe(false)
  expect(plan(2, 2, 0.2, true).busy).toBe(false)
})

/** A root folder whose cgroup files say what is given. */
function rootOf(files: Record<string, string>): string {
  const root = temporaryFolder()
  for (const [path, text] of Object.entries(files)) {
    fs.mkdirSync(dirname(join(root, path)), { recursive: true })
    fs.writeFileSync(join(root, path), text)
  }
  return root
}
const quota = (files: Record<string, string>) => native().quotaCores(rootOf(files))

test('a quota of the control group, or of one above it, limits the threads: the smallest counts, rounded up', () => {
  expect(quota({})).toBe(0)
  expect(quota({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': 'max 100000\n' })).toBe(0)
  expect(quota({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '150000 100000\n' })).toBe(2)
  expect(
    quota({
      'proc/self/cgroup': '0::/a/b\n',
      'sys/fs/cgroup/a/cpu.max': '300000 100000\n',
      'sys/fs/cgroup/a/b/cpu.max': 'max 100000\n',
    }),
  ).toBe(3)
  expect(
    quota({
      'proc/self/cgroup': '0::/outside\n',
      'sys/fs/cgroup/cpu.max': '100000 100000\n',
    }),
  ).toBe(1)
})

test('quotas of the first version of control groups count as well; -1 is none', () => {
  const group = 'sys/fs/cgroup/cpu,cpuacct/docker/1f'
  const proc = { 'proc/self/cgroup': '5:memory:/docker/1f\n4:cpu,cpuacct:/docker/1f\n0::/\n' }
  expect(
    quota({ ...proc, [`${group}/cpu.cfs_quota_us`]: '-1\n', [`${group}/cpu.cfs_period_us`]: '100000\n' }),
  ).toBe(0)
  expect(
    quota({ ...proc, [`${group}/cpu.cfs_quota_us`]: '250000\n', [`${group}/cpu.cfs_period_us`]: '100000\n' }),
  ).toBe(3)
})

const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^G?OMP_/.test(name)))
/** What a program prints in a process of its own, as JSON; `variables` of OpenMP are all that it has. */
function printed(code: string, variables: Record<string, string>) {
  const env = { ...clean, ...variables }
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', code], { env, encoding: 'utf8' }),
  )
}

const addon = join(import.meta.dirname, '../../build/clha.node')
const engineWith = (variables: Record<string, string>): { threads: number; ownThreads: boolean } =>
  printed(
    `import { createRequire } from 'node:module'
    const { threads, ownThreads } = createRequire(import.meta.url)(${JSON.stringify(addon)}).engine()
    console.log(JSON.stringify({ threads, ownThreads }))`,
    variables,
  )

test.skipIf(process.platform !== 'linux')(
  'the own threads are in use where nobody tunes those of OpenMP, and the number asked for is taken',
  () => {
    expect(engineWith({}).ownThreads).toBe(true)
    expect(engineWith({ OMP_NUM_THREADS: '1' })).toEqual({ threads: 1, ownThreads: true })
    expect(engineWith({ OMP_WAIT_POLICY: 'passive', OMP_NUM_THREADS: '1' })).toEqual({
      threads: 1,
      ownThreads: false,
    })
    expect(engineWith({ GOMP_SPINCOUNT: '1000' }).ownThreads).toBe(false)
  },
)

test.skipIf(process.platform !== 'linux')(
  'own threads and those of libgomp give the same bits: products, softmax, sums, gradients and random numbers',
  () => {
    const tensor = pathToFileURL(join(compileSources(temporaryFolder()), 'tensor/index.js')).href
    const code = `
      import { createHash } from 'node:crypto'
      import { f32, gradients, native, ops, requiresGrad, scope } from ${JSON.stringify(tensor)}
      const numbers = (n, seed) => Array.from({ length: n }, (_, i) => 0.03 * Math.sin(i * 0.37 + seed))
      native().setThreads(3)
      scope(() => {
        const x = requiresGrad(f32(numbers(300 * 256, 1), [300, 256]))
        const w = requiresGrad(f32(numbers(512 * 256, 2), [512, 256]))
        const y = ops.dropout(ops.linear(x, w), 0.1, 7)
        const z = ops.softmax(ops.linear(y, y), -1)
        const outputs = [y, z, ...gradients([ops.sum(ops.mul(z, z))], [x, w])]
        const hash = (tensor) => createHash('sha256').update(JSON.stringify(tensor.numbers())).digest('hex')
        console.log(JSON.stringify({ hashes: outputs.map(hash), largest: Math.max(...outputs[2].numbers().slice(0, 999)) }))
      })`
    const own = printed(code, {})
    expect(own.largest).toBeGreaterThan(0)
    expect(printed(code, { OMP_WAIT_POLICY: 'passive' })).toEqual(own)
  },
)
