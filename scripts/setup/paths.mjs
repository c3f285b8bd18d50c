// Where set-up reads and writes, and the versions it supports.
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = resolve(fileURLToPath(new URL('../..', import.meta.url)))
export const buildDir = process.env.CLHA_BUILD_DIR ? resolve(process.env.CLHA_BUILD_DIR) : join(root, 'build')
export const nativeDir = process.env.CLHA_NATIVE_DIR
  ? resolve(process.env.CLHA_NATIVE_DIR)
  : join(root, 'native')
export const cacheDir = process.env.CLHA_CACHE
  ? resolve(process.env.CLHA_CACHE)
  : join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'clha')
export const platform = `${process.platform}-${process.arch}`

/** The libtorch that is fetched, and the range of a libtorch that is already there. */
export const torchVersion = '2.13.0'
export const torchRange = { oldest: [2, 9], newest: [2, 13] }

/** Shortens a path for people: the home directory becomes `~`. */
export const tilde = (path) => (path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path)

/** Whether a version such as `2.11.0+cu128` is one that clha supports. */
export function isSupportedTorch(version) {
  const [major, minor] = version.split('.').map(Number)
  const { oldest, newest } = torchRange
  return major === oldest[0] && minor >= oldest[1] && minor <= newest[1]
}
