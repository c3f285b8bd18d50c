// Where set-up reads and writes, and the versions it supports.
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import load from './load.cjs'

export const { root, platform, cacheDir, isCheckout, buildDir, setupCommand } = load
export const nativeDir = process.env.CLHA_NATIVE_DIR
  ? resolve(process.env.CLHA_NATIVE_DIR)
  : join(root, 'native')
/** A set-up command with options, for people. */
export const setupWith = (options) => `${setupCommand}${isCheckout ? ' --' : ''} ${options}`

/** The libtorch that is fetched, and the range of a libtorch that is already there. */
export const torchVersion = '2.13.0'
export const torchRange = { oldest: [2, 9], newest: [2, 14] }

/** The range for people. */
export const torchVersions = `${torchRange.oldest.join('.')} to ${torchRange.newest.join('.')}`

/** Shortens a path for people: the home directory becomes `~`. */
export const tilde = (path) => (path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path)

/** Whether a version such as `2.11.0+cu128` is one that clha supports. */
export function isSupportedTorch(version) {
  const [major, minor] = version.split('.').map(Number)
  const { oldest, newest } = torchRange
  return major === oldest[0] && minor >= oldest[1] && minor <= newest[1]
}
