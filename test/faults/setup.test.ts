// Set-up that is killed, stopped, starved of disk, started twice or copied: the next one goes on, and no half engine is ever taken.
import { spawn, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readJson } from '../../scripts/setup/files.mjs'
import { createRandom } from '../../src/random.js'
import { tracked } from '../helpers/children.js'
import { temporaryFolder } from '../helpers/folders.js'
import { fetchInto, makeWheel, startFetch, sumOf } from '../helpers/torch-wheel.js'

const root = new URL('../..', import.meta.url).pathname
const libtorch: string | undefined = readJson(join(root, 'build/engine.json'))?.libtorch
const KILLS = Number(process.env.CLHA_KILLS ?? 4)
const SETUP = [process.execPath, join(root, 'scripts/setup.mjs'), '--only', 'engine']

const UNITS = 6
const unit = (i: number, size: number) =>
  `#include <map>\n#include <string>\nint unit_${i}() { std::map<std::string, int> m; m["a"] = ${i}; return m["a"]; }
extern const char room_${i}[${size}] = {1};\n`

/** A small engine of a few units, which answers the sum of what they give: 0 + 1 + … */
function writeNative(folder: string, size = 1000): string {
  const native = join(folder, 'native')
  fs.mkdirSync(native, { recursive: true })
  const names = Array.from({ length: UNITS }, (_, i) => `unit_${i}()`)
  fs.writeFileSync(
    join(native, 'module.cc'),
    `#include <napi.h>
${names.map((name) => `int ${name};`).join('\n')}
static Napi::Object Init(Napi::Env env, Napi::Object out) {
  out.Set("answer", ${names.join(' + ')});
  out.Set("buildId", CLHA_BUILD_ID);
  return out;
}
NODE_API_MODULE(clha, Init)
`,
  )
  for (let i = 0; i < UNITS; i++) fs.writeFileSync(join(native, `unit_${i}.cc`), unit(i, size))
  return native
}

const environment = (build: string, native: string) => ({
  ...process.env,
  LIBTORCH: libtorch,
  CLHA_NATIVE_DIR: native,
  CLHA_BUILD_DIR: build,
})

/** A set-up in a process group of its own, as a terminal gives it one. */
function start(env: NodeJS.ProcessEnv) {
  const child = tracked(
    spawn(SETUP[0], SETUP.slice(1), { env, detached: true, stdio: ['ignore', 'ignore', 'pipe'] }),
    true,
  )
  let text = ''
  child.stderr.on('data', (data) => {
    text += data
  })
  const ended = new Promise<string>((resolve) => {
    child.on('close', (code, signal) => resolve(`${code ?? signal}\n${text}`))
  })
  return { child, ended }
}

function answerOf(build: string): unknown {
  const load = `console.log(require(${JSON.stringify(join(build, 'clha.node'))}).answer)`
  const { stdout, status } = spawnSync(process.execPath, ['-e', load], { encoding: 'utf8' })
  return status === 0 ? Number(stdout) : undefined
}
const ANSWER = 15 // 0 + 1 + 2 + 3 + 4 + 5

const leftovers = (folder: string) =>
  fs.readdirSync(folder).filter((name) => /\.tmp|\.part$|\.lock$/.test(name))

describe.skipIf(!libtorch)('the engine (needs a set-up folder)', () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'clha-setup-'))
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))
  let whole = 0
  beforeAll(async () => {
    const began = performance.now()
    const env = environment(join(folder, 'whole'), writeNative(folder))
    expect(await start(env).ended).toMatch(/^0\n/)
    whole = performance.now() - began
  })

  test.each([
    ['SIGKILL', 'one'],
    ['SIGKILL', 'group'],
    ['SIGTERM', 'one'],
    ['SIGINT', 'group'],
  ] as const)(
    '%s of the %s at random moments: what has a record loads, and the next set-up ends well',
    async (signal, whom) => {
      const build = join(folder, `build-${signal}-${whom}`)
      const env = environment(build, join(folder, 'native'))
      const random = createRandom(`${signal} ${whom}`)
      for (let i = 0; i < KILLS; i++) {
        const { child, ended } = start(env)
        await wait(100 + random.next() * whole)
        if (child.exitCode === null) process.kill(whom === 'group' ? -child.pid! : child.pid!, signal)
        const said = await ended
        if (/^(SIG|0)/.test(said) === false)
          expect(said).toMatch(/^(130|143)\n[\s\S]*goes on where it stopped/)
        if (fs.existsSync(join(build, 'engine.json'))) {
          expect(answerOf(build)).toBe(ANSWER)
          fs.rmSync(build, { recursive: true })
        }
      }
      expect(await start(env).ended).toMatch(/^0\n/)
      expect(answerOf(build)).toBe(ANSWER)
      expect(leftovers(build)).toEqual([])
    },
  )

  test('two at once: one compiles, the other waits, both end well', async () => {
    const build = join(folder, 'build-two')
    const env = environment(build, join(folder, 'native'))
    const said = await Promise.all([start(env).ended, start(env).ended])
    for (const text of said) expect(text).toMatch(/^0\n/)
    expect(said.join('').match(/compiled for/g)).toHaveLength(1)
    expect(said.join('')).toMatch(/is setting up this folder; waiting for it/)
    expect(answerOf(build)).toBe(ANSWER)
  })

  test('an engine that was copied here from elsewhere is refused with the reason and made again', async () => {
    const build = join(folder, 'copied')
    const env = environment(build, join(folder, 'native'))
    fs.cpSync(join(folder, 'whole'), build, { recursive: true })
    fs.truncateSync(join(build, 'clha.node'), 5000)
    const said = await start(env).ended
    expect(said).toMatch(/^0\n/)
    expect(said).toMatch(/the engine here was made elsewhere and does not load: .*; it is made again/)
    expect(answerOf(build)).toBe(ANSWER)

    const record = join(build, 'engine.json')
    const built = readJson(record)
    fs.writeFileSync(record, JSON.stringify({ ...built, libtorch: '/opt/somebody/libtorch' }))
    const moved = await start({ ...env, LIBTORCH: libtorch }).ended
    expect(moved).toMatch(/^0\n/)
    expect(moved).toMatch(
      /made for \/opt\/somebody\/libtorch, which is not on this machine; it is made again/,
    )
    expect(readJson(record).libtorch).toBe(libtorch)
  })

  const canMount = spawnSync('unshare', ['-rm', 'true']).status === 0
  test.skipIf(!canMount)(
    'a disk that is full ends in exit 4 and says so; with room the same command goes on (skipped where unshare is not allowed)',
    () => {
      const mount = temporaryFolder()
      const native = writeNative(temporaryFolder(), 400_000)
      const script = [
        'mount -t tmpfs -o size=1500k tmpfs "$0"',
        '"$@"; echo "first $?"',
        'ls -A "$0/build"',
        'mount -o remount,size=20m "$0"',
        '"$@"; echo "second $?"',
        'ls -A "$0/build"',
      ].join('\n')
      const env = environment(join(mount, 'build'), native)
      const { stdout, stderr } = spawnSync('unshare', ['-rm', 'bash', '-c', script, mount, ...SETUP], {
        env,
        encoding: 'utf8',
      })
      expect(stderr).toContain('the disk is full')
      const [first, second] = stdout.split('first 4\n')[1].split('second 0\n')
      expect(first).not.toMatch(/clha\.node|engine\.json|\.tmp|\.lock/)
      expect(second).toMatch(/^clha\.node$/m)
      expect(second).toMatch(/^engine\.json$/m)
    },
  )
})

const hasPip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0
describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64' || !hasPip)(
  'libtorch (Linux x86-64 with pip)',
  () => {
    test('killed at random moments of the fetch: the next one ends well and leaves nothing of the others', async () => {
      const folder = temporaryFolder()
      const links = join(folder, 'wheels')
      makeWheel(links, '2.13.0+cpu', 60e6)
      const trusted = { CLHA_TORCH_SHA256: sumOf(links) }
      const cache = join(folder, 'cache')
      const began = performance.now()
      expect((await fetchInto(`${cache}-whole`, links, trusted)).code).toBe(0)
      const whole = performance.now() - began
      const random = createRandom('fetch')
      for (let i = 0; i < KILLS; i++) {
        const { child, ended } = startFetch(cache, links, trusted)
        await wait(whole * random.next())
        if (child.exitCode === null) process.kill(i % 2 ? -child.pid! : child.pid!, 'SIGKILL')
        await ended
        const home = join(cache, 'libtorch-2.13.0-linux-x64')
        if (!fs.existsSync(home)) continue
        expect(fs.readFileSync(join(home, 'torch/lib/libtorch_cpu.so')).length).toBeGreaterThan(60e6)
        fs.rmSync(home, { recursive: true })
      }
      const { code, output } = await fetchInto(cache, links, trusted)
      expect(`${code} ${output}`).toMatch(/^0 /)
      expect(fs.readdirSync(cache)).toEqual(['libtorch-2.13.0-linux-x64'])
    })
  },
)
