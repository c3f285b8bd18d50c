// An engine that was compiled elsewhere, in a package of its own: whether it fits here, and putting it in place.
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { addon, pointAtLibtorch, putInPlace, record, sourcesHash, tryLoading } from './engine.mjs'
import { readJson, writeJson } from './files.mjs'
import { buildDir, platform, root } from './paths.mjs'

export const enginePackage = `@clha/engine-${platform}`

/** The folder of the platform package beside clha, with its record; null where npm installed none. */
export function findPrebuilt() {
  try {
    const path = createRequire(join(root, 'package.json')).resolve(`${enginePackage}/package.json`)
    const folder = dirname(path)
    return { folder, version: readJson(path).version, ...readJson(join(folder, 'engine.json')) }
  } catch {
    return null
  }
}

const minor = (version) => version.split('.').slice(0, 2).join('.')
export const fitsLibtorch = (prebuilt, torch) =>
  minor(prebuilt.libtorch) === minor(torch.version) && torch.build === 'CPU'

/** Why the engine of the package can't be taken; undefined where it can. Whether it loads is tried afterwards. */
function refusal(prebuilt, torch) {
  const { version } = readJson(join(root, 'package.json'))
  if (process.env.CXX) return 'CXX names a compiler'
  if (prebuilt.version !== version) return `it is of clha ${prebuilt.version}, this is ${version}`
  if (prebuilt.sources !== sourcesHash()) return 'the sources in native/ are others'
  if (torch.build !== 'CPU') return 'it has no CUDA part, and this libtorch has'
  if (!fitsLibtorch(prebuilt, torch))
    return `it is for libtorch ${minor(prebuilt.libtorch)}, and this one is ${torch.version}`
  const { glibcVersionRuntime: glibc } = process.report?.getReport().header ?? {}
  if (prebuilt.glibc && glibc && isOlder(glibc, prebuilt.glibc))
    return `it needs glibc ${prebuilt.glibc}, and this machine has ${glibc}`
  return undefined
}

/** `2.9` is older than `2.28`, `3.4` than `3.4.21`. */
export function isOlder(version, than) {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number))
  const at = b.findIndex((part, i) => part !== (a[i] ?? 0))
  return at >= 0 && (a[at] ?? 0) < b[at]
}

/**
 * Copies it to the build folder, so that the engine stands in one place whatever made it.
 * @returns {Promise<{done?: string, reason?: string}>} what to print on the step's line, or why it has to be compiled
 */
export async function takePrebuilt(prebuilt, torch, say) {
  const reason = refusal(prebuilt, torch)
  if (reason) return { reason }
  say('loading the engine of the package')
  mkdirSync(buildDir, { recursive: true })
  const fresh = `${addon}.${process.pid}.tmp.node`
  try {
    copyFileSync(join(prebuilt.folder, 'clha.node'), fresh)
    pointAtLibtorch(torch.path)
    await tryLoading(fresh)
    putInPlace(fresh)
  } catch (error) {
    return { reason: `it does not load: ${error.hint?.split('\n')[0] ?? error.message}` }
  } finally {
    rmSync(fresh, { force: true })
  }
  const { folder: _, ...facts } = prebuilt
  const from = `${enginePackage} ${prebuilt.version}`
  const { path: libtorch, version, build } = torch
  writeJson(record, { ...facts, prebuilt: from, libtorch, version, build })
  return { done: `taken from ${from}` }
}

/** A package that holds no addon is a broken one: npm was interrupted. */
export const isWhole = (prebuilt) => prebuilt !== null && existsSync(join(prebuilt.folder, 'clha.node'))
