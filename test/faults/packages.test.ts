// The packages as npm would lay them out, on a machine without a compiler: the engine of the platform is taken, or it is said why not.
import { execFileSync, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readJson } from '../../scripts/setup/files.mjs'
import { isOlder } from '../../scripts/setup/prebuilt.mjs'

const root = new URL('../..', import.meta.url).pathname
const libtorch: string | undefined = readJson(join(root, 'build/engine.json'))?.libtorch
const ENGINE = `@clha/engine-${process.platform}-${process.arch}`

const MODULE = `#include <cmath>
#include <memory>
#include <stdexcept>
#include <napi.h>
static Napi::Value Power(const Napi::CallbackInfo& info) {
  auto x = std::make_shared<double>(info[0].As<Napi::Number>().DoubleValue());
  return Napi::Number::New(info.Env(), std::exp(std::log(*x) * 2));
}
static Napi::Object Init(Napi::Env env, Napi::Object out) {
  out.Set("buildId", CLHA_BUILD_ID);
  out.Set("file", __FILE__);
  out.Set("square", Napi::Function::New(env, Power));
  return out;
}
NODE_API_MODULE(clha, Init)
`

describe.skipIf(!libtorch || process.platform !== 'linux')(
  'installed packages (Linux, a set-up folder)',
  () => {
    const folder = fs.mkdtempSync(join(tmpdir(), 'clha-packages-'))
    afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))
    const native = join(folder, 'native')
    const tarballs = join(folder, 'tarballs')
    const bin = join(folder, 'bin')
    const env = { ...process.env, CLHA_NATIVE_DIR: native, LIBTORCH: libtorch, CXX: undefined }

    beforeAll(() => {
      fs.mkdirSync(native)
      fs.writeFileSync(join(native, 'module.cc'), MODULE)
      fs.mkdirSync(bin)
      fs.symlinkSync(process.execPath, join(bin, 'node'))
      const building = { ...env, CLHA_BUILD_DIR: join(folder, 'building') }
      for (const [script, more] of [
        ['prebuild.mjs', building],
        ['pack.mjs', process.env],
      ] as const) {
        const args = [join(root, 'scripts', script), '--out', tarballs]
        execFileSync(process.execPath, args, { env: more, stdio: 'pipe' })
      }
    }, 300_000)

    /** Both tarballs unpacked as npm unpacks them; other packages are those of this checkout. */
    function install(change: (engine: string) => void = () => {}) {
      const app = fs.mkdtempSync(join(folder, 'app-'))
      const modules = join(app, 'node_modules')
      const unpack = (tarball: string, into: string) => {
        fs.mkdirSync(into, { recursive: true })
        execFileSync('tar', ['xzf', join(tarballs, tarball), '-C', into, '--strip-components=1'])
      }
      const named = (start: string) => fs.readdirSync(tarballs).find((name) => name.startsWith(start))!
      unpack(named('clha-engine'), join(modules, ENGINE))
      unpack(fs.readdirSync(tarballs).find((name) => /^clha-\d/.test(name))!, join(modules, 'clha'))
      for (const name of fs.readdirSync(join(root, 'node_modules')))
        if (!fs.existsSync(join(modules, name)) && !name.startsWith('.'))
          fs.symlinkSync(join(root, 'node_modules', name), join(modules, name))
      change(join(modules, ENGINE))
      const cache = join(app, 'cache')
      const clha = (args: string[], path = bin) => {
        const around = { ...env, PATH: path, CLHA_CACHE: cache }
        const command = [join(modules, 'clha/clha'), ...args]
        const { status, stdout, stderr } = spawnSync(process.execPath, command, {
          env: around,
          encoding: 'utf8',
        })
        return { status, out: stdout + stderr }
      }
      return { cache, modules, clha }
    }

    /** Changes the record inside the engine's package. */
    const recorded = (change: Record<string, unknown>) => (engine: string) => {
      const path = join(engine, 'engine.json')
      fs.writeFileSync(path, JSON.stringify({ ...readJson(path), ...change }))
    }

    test('without a compiler the engine of the package is taken into the cache, and computes', () => {
      const { clha, cache, modules } = install()
      const before = fs.readdirSync(join(modules, 'clha')).sort()
      const { status, out } = clha(['setup'])
      expect(out).toContain(`taken from ${ENGINE}`)
      expect(status).toBe(0)
      expect(fs.readdirSync(join(modules, 'clha')).sort()).toEqual(before)
      const [build] = fs.readdirSync(cache).filter((name) => name.startsWith('engine-'))
      expect(fs.readdirSync(join(cache, build)).sort()).toEqual([
        'addon.json',
        'clha.node',
        'engine.json',
        'libtorch',
        'logs',
      ])
      const load = `const { loadEngine } = require(${JSON.stringify(join(modules, 'clha/scripts/setup/load.cjs'))})
      const { square, file } = loadEngine(); console.log(square(3).toFixed(6), file)`
      const said = execFileSync(process.execPath, ['-e', load], {
        env: { ...env, CLHA_CACHE: cache },
      }).toString()
      expect(said).toMatch(/^9\.000000 /)
      expect(said).not.toContain(root)
      expect(isOlder('2.28', readJson(join(modules, ENGINE, 'engine.json')).glibc)).toBe(false)
      expect(clha(['setup']).out).toMatch(/✓ done/)
    })

    test.each([
      ['another libtorch', recorded({ libtorch: '2.8.0' }), /it is for libtorch 2\.8, and this one is 2\./],
      ['a newer glibc', recorded({ glibc: '9.1' }), /it needs glibc 9\.1, and this machine has 2\./],
      ['other sources', recorded({ sources: 'none' }), /the sources in native\/ are others/],
      [
        'a damaged file',
        (engine: string) => fs.truncateSync(join(engine, 'clha.node'), 4000),
        /it does not load/,
      ],
    ])(
      'an engine for %s is not taken: without a compiler that is an error with the reason, with one it is compiled',
      (_, change, reason) => {
        const { clha } = install(change)
        const alone = clha(['setup'])
        expect(alone.status).toBe(4)
        expect(alone.out).toMatch(/no C\+\+ compiler was found/)
        expect(alone.out).toMatch(reason)
        const compiled = clha(['setup'], process.env.PATH)
        expect(compiled.status).toBe(0)
        expect(compiled.out).toMatch(/compiled for .*; not the one of npm: /)
        expect(compiled.out).toMatch(reason)
      },
    )

    test('what is packed has what users need and nothing of the tests; npm has no script to run', () => {
      const { modules } = install()
      const names = fs.readdirSync(join(modules, 'clha'))
      for (const name of ['clha', 'dist', 'docs', 'native', 'recipes', 'README.md', 'LICENSE'])
        expect(names).toContain(name)
      for (const name of ['test', 'src', 'bench', 'experiments']) expect(names).not.toContain(name)
      const manifest = readJson(join(modules, 'clha/package.json'))
      expect(manifest.scripts).toBeUndefined()
      expect(manifest.devDependencies).toBeUndefined()
      expect(manifest.optionalDependencies[ENGINE]).toBe(manifest.version)
    })
  },
)
