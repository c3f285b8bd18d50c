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
import { LEVELS } from '../../scripts/setup/cpu.mjs'
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
const char* build_id();
static Napi::Object Init(Napi::Env env, Napi::Object out) {
  out.Set("buildId", build_id());
  out.Set("widths", Napi::String::New(env, widths()));
  out.Set("answer", ANSWER);
  return out;
}
NODE_API_MODULE(clha, Init)
`
/** An inline function that is in every object: each level must keep its own. */
const SHARED = `inline __attribute__((noinline)) int width() {
#if defined(__AVX512F__)
  return 512;
#elif defined(__AVX2__)
  return 256;
#else
  return 128;
#endif
}
`
const LOOPS = `#include "width.h"
extern int (*const CLHA_LOOPS)();
int (*const CLHA_LOOPS)() = width;
`
const WIDTHS = `#include <string>
#include "width.h"
extern int (*const loops_default)();
#ifdef CLHA_X86_LEVELS
extern int (*const loops_avx2)();
extern int (*const loops_avx512)();
#endif
std::string widths() {
  std::string out = std::to_string(width()) + " " + std::to_string(loops_default());
#ifdef CLHA_X86_LEVELS
  if (__builtin_cpu_supports("avx2")) out += " " + std::to_string(loops_avx2());
  if (__builtin_cpu_supports("avx512vl")) out += " " + std::to_string(loops_avx512());
#endif
  return out;
}
`
const ANSWER = '#include <string>\nstd::string widths();\n#define ANSWER 42\n'

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
    for (const folder of ['door', 'cpu/loops']) mkdirSync(join(native, folder), { recursive: true })
    const files = {
      'answer.h': ANSWER,
      'width.h': SHARED,
      'door/module.cc': MODULE,
      'door/build_id.cc': 'const char* build_id() { return CLHA_BUILD_ID; }\n',
      'cpu/widths.cc': WIDTHS,
      'cpu/loops/table.cc': LOOPS,
    }
    for (const [file, text] of Object.entries(files)) writeFileSync(join(native, file), text)
    const { status, stderr } = compile()
    expect(stderr).toContain(`compiled for ${LEVELS.map(({ level }) => level).join(', ')}`)
    expect(status).toBe(0)
  }, 60_000)

  test('gives an addon that knows its build, and a record beside it', () => {
    const loaded = load()
    const record = readJson(join(build, 'engine.json'))
    expect(loaded).toMatchObject({ answer: 42, buildId: record.buildId })
    expect(record).toMatchObject({ levels: LEVELS.map(({ level }) => level), libtorch })
  })

  test('every level keeps its own inline functions: none runs the code of a wider one', () => {
    // First the rest of the addon, then the levels that this processor has, narrowest first.
    const all = ['128', '128', '256', '512']
    expect(load().widths.split(' ')).toEqual(all.slice(0, load().widths.split(' ').length))
  })

  test('is skipped when nothing changed', () => {
    const before = statSync(addon).mtimeMs
    expect(compile().stderr).toContain('done')
    expect(statSync(addon).mtimeMs).toBe(before)
  })

  test('compiles only what changed: the folder of an edited file, and the file that prints the build id', () => {
    const first = compile()
    const before = Object.fromEntries(
      ['cpu', 'door', 'loops_default'].map((part) => [part, first.compiled(part)]),
    )
    writeFileSync(join(native, 'cpu/widths.cc'), `${WIDTHS}int more() { return 2; }\n`)
    const second = compile()
    expect(second.status).toBe(0)
    expect(second.compiled('cpu')).toBeGreaterThan(before.cpu)
    expect(second.compiled('door')).toBe(before.door)
    expect(second.compiled('loops_default')).toBe(before.loops_default)
    expect(load().buildId).toBe(readJson(join(build, 'engine.json')).buildId)
  })

  test('a header change reaches every file', () => {
    writeFileSync(join(native, 'answer.h'), ANSWER.replace('42', '43'))
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
