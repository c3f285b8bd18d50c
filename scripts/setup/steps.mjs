// The four steps of set-up: which are due, and running them in order.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { addonIsKnown, noteAddon, noteNothingDue, nothingDue } from './due.mjs'
import { addon, compileEngine, engineReady, findCompiler, loadProblem, record } from './engine.mjs'
import { readJson } from './files.mjs'
import { describeLibtorch, inspectLibtorch, ownLibtorch, provideLibtorch } from './libtorch.mjs'
import { withLock } from './lock.mjs'
import { step } from './output.mjs'
import { describePackages, installPackages, packagesReady } from './packages.mjs'
import { buildDir, isCheckout, tilde } from './paths.mjs'
import { enginePackage, findPrebuilt, fitsLibtorch, isWhole, takePrebuilt } from './prebuilt.mjs'
import { untilStopped } from './stop.mjs'
import { compileTypeScript, typescriptReady } from './typescript.mjs'

/** The steps that are not done, in order. */
export function dueSteps() {
  if (nothingDue()) return []
  const engineDue = !engineStands()
  const due = [
    ...(packagesReady() ? [] : ['packages']),
    ...(engineDue ? ['libtorch', 'engine'] : []),
    ...(typescriptReady() ? [] : ['typescript']),
  ]
  if (due.length === 0) noteNothingDue()
  return due
}

/** Whether the engine is what its record says; one that was copied here is loaded once, in a process of its own. */
function engineStands() {
  if (!engineReady()) return false
  if (addonIsKnown()) return true
  if (loadProblem()) return false
  noteAddon()
  return true
}

/** Why an engine that is there is not used; undefined where there is none, or it is only older than its sources. */
function whyNotThisEngine() {
  const built = readJson(record)
  if (!built || !existsSync(addon)) return undefined
  if (!existsSync(built.libtorch))
    return `the engine here was made for ${tilde(built.libtorch)}, which is not on this machine`
  const problem = engineReady() && !addonIsKnown() ? loadProblem() : undefined
  return problem && `the engine here was made elsewhere and does not load: ${problem}`
}

/**
 * Does the steps that are due, alone in this folder: others wait, then find them done.
 * @param options.only   names of the steps to look at; all by default
 * @param options.quiet  print nothing unless something fails
 * @returns the steps that were due
 */
export async function setUp({ quiet = false, only, acceptCudaWheel = false } = {}) {
  const due = () => dueSteps().filter((name) => !only || only.includes(name))
  const first = due()
  if (first.length === 0 && !acceptCudaWheel) return first
  const onWait = (pid) =>
    quiet || console.error(`process ${pid ?? '?'} is setting up this folder; waiting for it`)
  const work = () => runSteps(new Set(due()), { quiet, acceptCudaWheel })
  await untilStopped(() => withLock(join(buildDir, 'setup.lock'), work, { onWait }))
  return first
}

async function runSteps(due, { quiet, acceptCudaWheel }) {
  if (due.size === 0 && !acceptCudaWheel) return
  if (!quiet) console.error('\nset-up')
  if (due.has('packages')) await step('packages', quiet, installPackages)
  if (due.has('libtorch') || due.has('engine') || acceptCudaWheel) {
    const why = whyNotThisEngine()
    if (why && !quiet) console.error(`  ${why}; it is made again`)
    const prebuilt = findPrebuilt()
    let torch
    await step('libtorch', quiet, async (say) => {
      torch = await libtorchFor(prebuilt, say, acceptCudaWheel)
      return describeLibtorch(torch)
    })
    if (due.has('engine') || acceptCudaWheel)
      await step('engine', quiet, (say) => provideEngine(prebuilt, torch, say))
  }
  if (due.has('typescript')) await step('typescript', quiet, compileTypeScript)
  if (!quiet) console.error('')
}

/** Where nothing can be compiled, an engine that is there decides: a libtorch that it does not fit is left alone. */
async function libtorchFor(prebuilt, say, acceptCudaWheel) {
  const torch = await provideLibtorch(say, { acceptCudaWheel })
  if (!isWhole(prebuilt) || fitsLibtorch(prebuilt, torch) || torch.origin === 'LIBTORCH' || acceptCudaWheel)
    return torch
  const compiler = await findCompiler().catch(() => null)
  return compiler ? torch : ownLibtorch(say)
}

/** Takes the engine of the platform package where it fits, else compiles it and says why. */
async function provideEngine(prebuilt, torch, say) {
  let reason
  if (isWhole(prebuilt)) {
    const taken = await takePrebuilt(prebuilt, torch, say)
    if (taken.done) {
      noteAddon()
      return taken.done
    }
    reason = taken.reason
  } else if (!isCheckout) reason = `${enginePackage} is not installed`
  let done
  try {
    done = await compileEngine(say, torch)
  } catch (error) {
    if (reason) error.hint = `the engine that npm installed is not used: ${reason}\n${error.hint ?? ''}`
    throw error
  }
  noteAddon()
  return reason ? `${done}; not the one of npm: ${reason}` : done
}

/** What stands now, one line per step, for people. */
export function describeSetUp() {
  const due = new Set(dueSteps())
  const built = readJson(record)
  const torch =
    built && existsSync(built.libtorch) ? inspectLibtorch(built.libtorch, 'build').torch : undefined
  const lines = {
    packages: () => describePackages(),
    libtorch: () => `${built.version} ${built.build} in ${tilde(built.libtorch)}`,
    engine: () => `engine ${built.buildId} (${built.prebuilt ?? built.levels?.join(', ')})`,
    typescript: () => (isCheckout ? 'dist/ is current' : 'dist/ as published'),
  }
  return Object.entries(lines).map(([name, text]) => {
    const done = name === 'libtorch' ? torch !== undefined : !due.has(name)
    return { name, done, text: done ? text() : 'not done, or out of date' }
  })
}
