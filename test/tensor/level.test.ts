// The level of vector instructions: what CLHA_CPU_LEVEL asks for, and what is refused.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../..', import.meta.url).pathname
const PRODUCT = `
const n = require('./build/clha.node')
const op = (name, ...args) => n.call(n.findOperator(name, ''), args)
const x = n.allocate([40, 32], 6), w = n.allocate([8, 32], 6)
n.call(n.findOperator('aten::fill_', 'Scalar'), [x, 1]); n.call(n.findOperator('aten::fill_', 'Scalar'), [w, 2])
const y = new Float32Array(n.readBytes(op('clha::linear', x, w, null)).buffer)
console.log(JSON.stringify({ ...n.engine(), aten: process.env.ATEN_CPU_CAPABILITY, y: [...new Set(y)] }))`

function load(level: string, more: Record<string, string> = {}) {
  const env = { ...process.env, CLHA_CPU_LEVEL: level, ...more }
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', PRODUCT], {
    cwd: root,
    env,
    encoding: 'utf8',
  })
  return { status, stderr, engine: status === 0 ? JSON.parse(stdout) : undefined }
}

const known = process.platform === 'linux' && process.arch === 'x64' ? ['avx2', 'default'] : ['default']

test.each(known)(
  'CLHA_CPU_LEVEL=%s is the level in use, and nothing is multiplied by what such a processor lacks',
  (level) => {
    const { engine } = load(level)
    expect(engine).toMatchObject({ cpuLevel: level, y: [64] })
    expect(engine.multipliers.f32).not.toMatch(/oneDNN/)
    expect(engine.multipliers.bf16).toMatch(/widened/)
  },
)

test('an instruction set that oneDNN is held to by its own variable is asked for, not assumed', () => {
  expect(load('', { ONEDNN_MAX_CPU_ISA: 'AVX2' }).engine).toMatchObject({ y: [64] })
})

test('a level that does not exist is refused by name', () => {
  const { status, stderr } = load('avx1024')
  expect(status).not.toBe(0)
  expect(stderr).toContain('CLHA_CPU_LEVEL is avx1024; levels are avx512, avx2 and default')
})

test('a command ends with 2 and says what to do', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['clha', 'generate', '--model-name-or-path', 'none', '--prompt', 'a'],
    {
      cwd: root,
      env: { ...process.env, CLHA_CPU_LEVEL: 'avx1024' },
      encoding: 'utf8',
    },
  )
  expect([status, stderr]).toEqual([2, expect.stringContaining('CLHA_CPU_LEVEL')])
})

test.skipIf(!existsSync(`${root}/build/engine`))(
  'objects of wide levels share no symbol but their table, and run nothing while they are loaded',
  () => {
    const objects = readdirSync(`${root}/build/engine`).filter((file) => /^loops_.*\.o$/.test(file))
    for (const object of objects) {
      const { stdout } = spawnSync(
        'nm',
        ['--defined-only', '--extern-only', `${root}/build/engine/${object}`],
        { encoding: 'utf8' },
      )
      const names = stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ').at(-1))
      expect(names).toEqual([expect.stringContaining(object.replace('.o', ''))])
      const { stdout: sections } = spawnSync('readelf', ['-SW', `${root}/build/engine/${object}`], {
        encoding: 'utf8',
      })
      expect(sections).toContain('.text')
      expect(sections).not.toContain('.init_array')
    }
  },
)
