// Step 2: a libtorch to link against: LIBTORCH, the PyTorch of the user's Python, or a private copy.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { SetupError } from './errors.mjs'
import { fetchLibtorch, privateCopy } from './libtorch-fetch.mjs'
import { megabytes } from './output.mjs'
import { isSupportedTorch, tilde, torchVersions } from './paths.mjs'
import { python } from './pip.mjs'
import { run } from './run.mjs'

const extension = process.platform === 'darwin' ? 'dylib' : 'so'
export const library = (torch, name) => join(torch, 'lib', `lib${name}.${extension}`)

/**
 * @typedef {{path: string, version: string, build: 'CPU' | 'CUDA', origin: string, fetched?: number}} Libtorch
 * @returns {{torch?: Libtorch, problem?: string}} what stands in a folder that has lib/ and include/
 */
export function inspectLibtorch(path, origin) {
  if (!existsSync(library(path, 'torch_cpu')))
    return { problem: `${tilde(path)} has no lib/libtorch_cpu.${extension}` }
  const header = ['include/torch/headeronly/version.h', 'include/torch/csrc/api/include/torch/version.h']
    .map((name) => join(path, name))
    .filter(existsSync)
    .map((name) => readFileSync(name, 'utf8'))
    .find((text) => text.includes('TORCH_VERSION_MAJOR'))
  if (!header) return { problem: `${tilde(path)} has no headers (include/torch)` }
  const number = (name) => header.match(new RegExp(`TORCH_VERSION_${name}\\s+(\\d+)`))?.[1] ?? '0'
  const version = ['MAJOR', 'MINOR', 'PATCH'].map(number).join('.')
  if (!isSupportedTorch(version))
    return { problem: `${tilde(path)} is libtorch ${version}; clha supports ${torchVersions}` }
  if (existsSync(library(path, 'torch_hip')) || existsSync(library(path, 'torch_xpu')))
    return { problem: `${tilde(path)} is a ROCm or XPU build; clha supports CPU and CUDA` }
  const build = existsSync(library(path, 'torch_cuda')) ? 'CUDA' : 'CPU'
  return { torch: { path, version, build, origin } }
}

/** @returns {Promise<Libtorch | null>} one that is already on this machine */
export async function findLibtorch() {
  if (process.env.LIBTORCH) {
    const found = inspectLibtorch(resolve(process.env.LIBTORCH), 'LIBTORCH')
    if (found.torch) return found.torch
    const hint =
      'LIBTORCH must name a folder with lib/ and include/, such as an unpacked libtorch or …/site-packages/torch.\nUnset it to let clha fetch a copy of its own.'
    throw new SetupError(`LIBTORCH can't be used: ${found.problem}`, hint, 2)
  }
  const own = privateCopy(inspectLibtorch)
  if (own?.build === 'CUDA') return own
  return (await pythonTorch()).torch ?? own
}

/** The torch package of the user's Python, found without importing it. */
async function pythonTorch() {
  const code =
    "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
  const { output, code: status } = await run(python, ['-c', code])
  const path = output.trim().split('\n').at(-1)
  if (status !== 0 || !path || !existsSync(path)) return {}
  return inspectLibtorch(path, "the user's Python")
}

/** @returns {Promise<Libtorch>} found or fetched; a CPU build is no answer to `acceptCudaWheel`, unless LIBTORCH names it */
export async function provideLibtorch(say, options) {
  const found = await findLibtorch()
  if (found && (!options.acceptCudaWheel || found.build === 'CUDA' || found.origin === 'LIBTORCH'))
    return found
  return ownLibtorch(say, options)
}

/** @returns {Promise<Libtorch>} the private copy, fetched where it is not there */
export async function ownLibtorch(say, options = {}) {
  const { size: fetched } = await fetchLibtorch(say, options)
  const copy = privateCopy(inspectLibtorch)
  if (!copy) throw new SetupError('the fetched libtorch is not complete', 'run the same command again')
  return { ...copy, fetched }
}

export function describeLibtorch({ version, build, origin, path, fetched }) {
  const size = fetched ? `${megabytes(fetched)} fetched, ` : ''
  const place =
    origin === 'private copy'
      ? `${size}kept in ${tilde(resolve(path, '../..'))}`
      : `from ${origin}: ${tilde(path)}`
  return `${version} ${build}, ${place}`
}
