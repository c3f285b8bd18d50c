// Step 1: npm packages, exactly as package-lock.json names them.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError, tail } from './errors.mjs'
import { readJson, sizeOf } from './files.mjs'
import { megabytes } from './output.mjs'
import { buildDir, root, tilde } from './paths.mjs'
import { run } from './run.mjs'

const log = join(buildDir, 'logs/packages.log')

/** Whether node_modules holds what the lock file names. npm keeps its own record of what it installed there. */
export function packagesReady() {
  const lock = readJson(join(root, 'package-lock.json'))
  if (!lock) return true // installed by npm itself: its packages stand beside or above this folder
  const installed = readJson(join(root, 'node_modules/.package-lock.json'))
  if (!installed) return false
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === '') return true
    const found = installed.packages[path]
    return found
      ? found.version === wanted.version && found.integrity === wanted.integrity
      : wanted.optional === true
  })
}

/** @returns what to print on the step's line */
export async function installPackages(say) {
  say('npm ci, about 140 MB to fetch')
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund']
  const { code, output, missing } = await run('npm', args, { cwd: root, log })
  if (missing) throw new SetupError('npm was not found', 'it comes with Node 20 or later: https://nodejs.org')
  if (code !== 0) {
    const hint = `${tail(output)}\nthe whole log: ${tilde(log)}\nonce the cause is gone, run the same command again`
    throw new SetupError('npm could not install the packages', hint)
  }
  if (!packagesReady())
    throw new SetupError(
      'npm ci ended well, but node_modules does not match package-lock.json',
      `see ${tilde(log)}`,
    )
  return describePackages()
}

export function describePackages() {
  const installed = readJson(join(root, 'node_modules/.package-lock.json'))
  if (!installed) return 'installed by npm'
  const paths = Object.keys(installed.packages).filter((path) => existsSync(join(root, path)))
  return `${paths.length} packages, ${megabytes(sizeOf(join(root, 'node_modules')))}`
}
