// Compiling the engine: incremental, honest about errors, and never without a working addon. Uses a small addon of its own.
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cpuLevel } from '../../scripts/setup/cpu.mjs'
import { readJson } from '../../scripts/setup/files.mjs'

const root = new URL('../..', import.meta.url).pathname
const libtorch: string | undefined = readJson(join(root, 'build/engine.json'))?.libtorch
const scratch = mkdtempSync(join(tmpdir(), 'clha-engine-'))
const native = join(scratch, 'native')
const build = join(scratch, 'build')
const addon = join(build, 'clha.node')
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const MODULE = `#include <napi.h>
#include "answer.h"
static Napi::Object Init(Napi::Env env, Napi::Object out) {
  out.Set("level", CLHA_CPU_LEVEL);
  out.Set("buildId", CLHA_BUILD_ID);
  out.Set("wide", kernel_is_wide());
  out.Set("answer", ANSWER);
  return out;
}
NODE_API_MODULE(clha, Init)
`
const KERNEL = `bool kernel_is_wide() {
#if defined(CPU_CAPABILITY_AVX2) || defined(CPU_CAPABILITY_AVX512)
  return true;
#else
  return false;
#endif
}
`

function compile(more: Record<string, string> = {}) {
  const env = { ...process.env, LIBTORCH: libtorch, CLHA_NATIVE_DIR: native, CLHA_BUILD_DIR: build, ...more }
  const args = [join(root, 'scripts/setup.mjs'), '--only', 'engine']
  const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
  return { status, stderr, compiled: (file: string) => statSync(join(build, `engine/${file}.o`)).mtimeMs }
}

/** A copy under another name: a process can load one path once. */
function load() {
  const copy = join(scratch, `copy-${Math.random()}.node`)
  copyFileSync(addon, copy)
  return createRequire(import.meta.url)(copy)
}

describe.skipIf(!libtorch)('the engine build (needs a set-up folder)', () => {
  beforeAll(() => {
    mkdirSync(join(native, 'cpu'), { recursive: true })
    writeFileSync(join(native, 'answer.h'), 'bool kernel_is_wide();\n#define ANSWER 42\n')
    writeFileSync(join(native, 'module.cc'), MODULE)
    writeFileSync(join(native, 'cpu/own.cc'), KERNEL)
    const { status, stderr } = compile()
    expect(stderr).toContain('compiled for this machine')
    expect(status).toBe(0)
  }, 60_000)

  test('gives an addon that knows its level and build, and a record beside it', () => {
    const loaded = load()
    const record = readJson(join(build, 'engine.json'))
    expect(loaded).toMatchObject({ answer: 42, level: cpuLevel(), buildId: record.buildId })
    expect(loaded.wide).toBe(cpuLevel() !== 'default')
    expect(record).toMatchObject({ level: cpuLevel(), libtorch })
  })

  test('is skipped when nothing changed', () => {
    const before = statSync(addon).mtimeMs
    expect(compile().stderr).toContain('done')
    expect(statSync(addon).mtimeMs).toBe(before)
  })

  test('compiles only what changed: an edited kernel, and the file that prints the build id', () => {
    writeFileSync(join(native, 'extra.cc'), 'int extra() { return 1; }\n')
    const first = compile()
    const kernel = first.compiled('cpu/own')
    const extra = first.compiled('extra')
    writeFileSync(join(native, 'cpu/own.cc'), `${KERNEL}int more() { return 2; }\n`)
    const second = compile()
    expect(second.status).toBe(0)
    expect(second.compiled('cpu/own')).toBeGreaterThan(kernel)
    expect(second.compiled('extra')).toBe(extra)
    expect(load().buildId).toBe(readJson(join(build, 'engine.json')).buildId)
  })

  test('a header change reaches every file', () => {
    writeFileSync(join(native, 'answer.h'), 'bool kernel_is_wide();\n#define ANSWER 43\n')
    compile()
    expect(load().answer).toBe(43)
  })

  test('a source that does not compile is shown with its line, and the old addon stays', () => {
    const before = readFileSync(addon)
    writeFileSync(join(native, 'extra.cc'), 'int extra() { return unknown_name; }\n')
    const { status, stderr } = compile()
    expect(status).toBe(4)
    expect(stderr).toContain('extra.cc:1:')
    expect(stderr).toContain('unknown_name')
    expect(stderr).toContain('engine.log')
    expect(readFileSync(addon).equals(before)).toBe(true)
    rmSync(join(native, 'extra.cc'))
  })

  test('an addon that would not load is not put in place', () => {
    const before = readFileSync(addon)
    writeFileSync(join(native, 'extra.cc'), 'void nowhere();\nvoid (*keep)() = nowhere;\n')
    const { status, stderr } = compile()
    expect(status).toBe(4)
    expect(stderr).toContain('does not load')
    expect(readFileSync(addon).equals(before)).toBe(true)
    rmSync(join(native, 'extra.cc'))
  })

  test('a narrower level can be asked for, and is compiled in', () => {
    expect(compile({ CLHA_CPU_LEVEL: 'default' }).status).toBe(0)
    expect(load()).toMatchObject({ level: 'default', wide: false })
  })

  test('a missing compiler and a wrong LIBTORCH are explained', () => {
    rmSync(join(build, 'engine.json'))
    const compiler = compile({ CXX: 'compiler-that-is-missing' })
    expect([compiler.status, compiler.stderr]).toEqual([4, expect.stringContaining('CXX=/path/to/g++')])
    const torch = compile({ LIBTORCH: native })
    expect([torch.status, torch.stderr]).toEqual([2, expect.stringContaining('has no lib/libtorch_cpu')])
    expect(existsSync(join(build, 'setup.lock'))).toBe(false)
  })
})

test('an unknown option or step is refused with exit code 2 and the help', () => {
  for (const args of [['--fast'], ['--only', 'engin']]) {
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/setup.mjs'), ...args], {
      encoding: 'utf8',
    })
    expect(status).toBe(2)
    expect(stderr).toMatch(/--accept-cuda-wheel|steps: packages, libtorch/)
  }
})
