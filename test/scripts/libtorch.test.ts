// Finding and fetching libtorch, with a wheel made here: nothing is downloaded.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inspectLibtorch } from '../../scripts/setup/libtorch.mjs'
import { isSupportedTorch } from '../../scripts/setup/paths.mjs'
import { fetchInto, header, makeWheel, sumOf } from '../helpers/torch-wheel.js'

const scratch = mkdtempSync(join(tmpdir(), 'clha-libtorch-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

function fakeTorch(name: string, minor: number, libraries: string[]) {
  const folder = join(scratch, name)
  mkdirSync(join(folder, 'lib'), { recursive: true })
  mkdirSync(join(folder, 'include/torch/headeronly'), { recursive: true })
  for (const library of libraries) writeFileSync(join(folder, 'lib', library), '')
  writeFileSync(join(folder, 'include/torch/headeronly/version.h'), header(minor))
  return folder
}

test('versions 2.9 to 2.14 are supported, with any local version', () => {
  const versions = ['2.8.1', '2.9.0', '2.11.0+cu128', '2.14.1', '2.15.0', '3.9.0', '1.13.1']
  expect(versions.map(isSupportedTorch)).toEqual([false, true, true, true, false, false, false])
})

describe.skipIf(process.platform !== 'linux')('a folder named as libtorch (Linux)', () => {
  test('is read for its version and build', () => {
    const cpu = inspectLibtorch(fakeTorch('cpu', 9, ['libtorch_cpu.so']), 'LIBTORCH')
    expect(cpu.torch).toMatchObject({ version: '2.9.1', build: 'CPU', origin: 'LIBTORCH' })
    const cuda = inspectLibtorch(fakeTorch('cuda', 12, ['libtorch_cpu.so', 'libtorch_cuda.so']), 'x')
    expect(cuda.torch).toMatchObject({ version: '2.12.1', build: 'CUDA' })
  })

  test('is refused with the reason: too old, no library, ROCm', () => {
    expect(inspectLibtorch(fakeTorch('old', 8, ['libtorch_cpu.so']), 'x').problem).toContain(
      '2.8.1; clha supports 2.9 to 2.14',
    )
    expect(inspectLibtorch(fakeTorch('empty', 13, []), 'x').problem).toContain('has no lib/libtorch_cpu.so')
    expect(
      inspectLibtorch(fakeTorch('hip', 13, ['libtorch_cpu.so', 'libtorch_hip.so']), 'x').problem,
    ).toContain('ROCm')
  })
})

const hasPip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0
describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64' || !hasPip)(
  'fetching (Linux x86-64 with pip)',
  () => {
    const wheels = join(scratch, 'wheels')
    const cudaOnly = join(scratch, 'cuda-only')
    beforeAll(() => {
      makeWheel(wheels, '2.13.0+cpu')
      makeWheel(cudaOnly, '2.13.0')
    })

    test('an unexpected sum stops it, names both sums, and leaves nothing behind', async () => {
      const cache = join(scratch, 'cache-sum')
      const { code, output } = await fetchInto(cache, wheels)
      expect(code).toBe(4)
      expect(output).toContain(sumOf(wheels))
      expect(output).toContain('CLHA_TORCH_SHA256=')
      expect(readdirSync(cache)).toEqual([])
    })

    test('libraries and headers are unpacked, Python parts are not, and the marker is complete', async () => {
      const cache = join(scratch, 'cache-good')
      const { code, output } = await fetchInto(cache, wheels, { CLHA_TORCH_SHA256: sumOf(wheels) })
      expect(output).toContain('2.13.1 CPU')
      expect(code).toBe(0)
      const home = join(cache, 'libtorch-2.13.0-linux-x64')
      expect(readdirSync(join(home, 'torch/lib')).sort()).toEqual([
        'libc10.so',
        'libgomp.so.1',
        'libtorch.so',
        'libtorch_cpu.so',
      ])
      expect(existsSync(join(home, 'torch/include/torch/headeronly/version.h'))).toBe(true)
      const marker = JSON.parse(readFileSync(join(home, 'complete.json'), 'utf8'))
      expect(marker).toMatchObject({ version: '2.13.0', sha256: sumOf(wheels) })
      expect(readdirSync(cache)).toEqual(['libtorch-2.13.0-linux-x64'])
    })

    test('two processes at once fetch it once', async () => {
      const cache = join(scratch, 'cache-two')
      const trusted = { CLHA_TORCH_SHA256: sumOf(wheels) }
      const both = await Promise.all([fetchInto(cache, wheels, trusted), fetchInto(cache, wheels, trusted)])
      expect(both.map(({ code }) => code)).toEqual([0, 0])
      expect(readdirSync(cache)).toEqual(['libtorch-2.13.0-linux-x64'])
    })

    test('a copy without its marker is fetched again', async () => {
      const cache = join(scratch, 'cache-half')
      mkdirSync(join(cache, 'libtorch-2.13.0-linux-x64/torch/lib'), { recursive: true })
      const { code } = await fetchInto(cache, wheels, { CLHA_TORCH_SHA256: sumOf(wheels) })
      expect(code).toBe(0)
      expect(existsSync(join(cache, 'libtorch-2.13.0-linux-x64/complete.json'))).toBe(true)
    })

    test('the CUDA build is never taken silently: its existence and the choices are told', async () => {
      const { code, output } = await fetchInto(join(scratch, 'cache-cuda'), cudaOnly)
      expect(code).toBe(4)
      for (const text of [
        'Only the CUDA build was found',
        'LIBTORCH=',
        'CLHA_TORCH_INDEX=',
        '--accept-cuda-wheel',
      ])
        expect(output).toContain(text)
    })

    test('asked for, the CUDA build comes to lie beside the CPU build, and is taken from then on', async () => {
      const cache = join(scratch, 'cache-both')
      const both = join(scratch, 'both')
      for (const version of ['2.13.0+cpu', '2.13.0']) makeWheel(both, version)
      const trusted = { CLHA_TORCH_SHA256: sumOf(both, '+cpu') }
      expect((await fetchInto(cache, both, trusted)).output).toContain('2.13.1 CPU')
      const asked = await fetchInto(cache, both, {}, { acceptCudaWheel: true })
      expect(asked).toMatchObject({ code: 0, output: expect.stringContaining('2.13.1 CUDA') })
      const homes = ['libtorch-2.13.0-linux-x64', 'libtorch-2.13.0-linux-x64-cuda']
      expect(readdirSync(cache).sort()).toEqual(homes)
      expect((await fetchInto(cache, both)).output).toContain('2.13.1 CUDA')
    })

    test('a machine without pip is told what to install', async () => {
      const { code, output } = await fetchInto(join(scratch, 'cache-nopip'), wheels, {
        PYTHON: 'python-that-is-missing',
      })
      expect(code).toBe(4)
      expect(output).toContain('apt install python3-pip')
    })
  },
)
