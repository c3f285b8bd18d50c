// Where the engine lies and how it gets into a process. CommonJS: the library loads it in the middle of a call.
const { existsSync, readFileSync } = require('node:fs')
const { homedir } = require('node:os')
const { join, resolve } = require('node:path')

const root = resolve(__dirname, '../..')
const platform = `${process.platform}-${process.arch}`
const asked = (name) => (process.env[name] ? resolve(process.env[name]) : undefined)
const cacheDir =
  asked('CLHA_CACHE') ?? join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'clha')

/** A checkout builds in itself. A package that npm installed may not be writable, and is replaced with every version. */
const isCheckout = existsSync(join(root, 'src'))
const buildDir = asked('CLHA_BUILD_DIR') ?? (isCheckout ? join(root, 'build') : packageBuildDir())
const addon = join(buildDir, 'clha.node')
const record = join(buildDir, 'engine.json')

function packageBuildDir() {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return join(cacheDir, `engine-${version}-${platform}`)
}

/** What to type to set up: an installed package has no scripts of npm's. */
const setupCommand = isCheckout ? 'npm run setup' : 'npx clha setup'

/** @returns the engine that set-up left, or undefined where there is none; throws what the system's loader says */
function loadEngine() {
  if (!existsSync(addon)) return undefined
  return require(addon)
}

module.exports = { root, platform, cacheDir, isCheckout, buildDir, addon, record, setupCommand, loadEngine }
