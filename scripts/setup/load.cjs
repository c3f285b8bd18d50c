// Where the engine lies and how it gets into a process. CommonJS: the library loads it in the middle of a call.
const { existsSync, readFileSync } = require('node:fs')
const { constants, homedir } = require('node:os')
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

/**
 * Loads an addon. One that was built on another machine names its libraries, not their place: they are opened by path first,
 * and the loader of the system then takes those that are there already.
 * @param {string} path of the addon
 * @param {string} [libtorch] the folder with lib/, for an addon that does not know it
 */
function loadAddon(path, libtorch) {
  if (libtorch) {
    openLibrary(libtorch, 'torch_cpu')
    openLibrary(libtorch, 'torch')
  }
  return require(path)
}

/** dlopen through Node, which then complains that a plain library registers no module; it stays in the process. */
function openLibrary(libtorch, name) {
  const mac = process.platform === 'darwin'
  const path = join(libtorch, 'lib', `lib${name}.${mac ? 'dylib' : 'so'}`)
  const keep = mac ? 0x80 : 0x1000 // RTLD_NODELETE: Node closes what is no addon
  try {
    process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | keep)
  } catch (error) {
    if (!/self-register/.test(error.message)) throw error
  }
}

/** @returns the engine that set-up left, or undefined where there is none; throws what the system's loader says */
function loadEngine() {
  if (!existsSync(addon)) return undefined
  let built = {}
  try {
    built = JSON.parse(readFileSync(record, 'utf8'))
  } catch {} // set-up was interrupted between addon and record: a compiled addon loads all the same
  return loadAddon(addon, built.prebuilt ? built.libtorch : undefined)
}

module.exports = { root, platform, cacheDir, isCheckout, buildDir, addon, record, setupCommand, loadAddon, loadEngine }
