// The four steps of set-up: which are due, and running them in order.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { compileEngine, engineReady, record } from './engine.mjs'
import { readJson } from './files.mjs'
import { describeLibtorch, inspectLibtorch, provideLibtorch } from './libtorch.mjs'
import { withLock } from './lock.mjs'
import { step } from './output.mjs'
import { describePackages, installPackages, packagesReady } from './packages.mjs'
import { buildDir, root, tilde } from './paths.mjs'
import { compileTypeScript, typescriptReady } from './typescript.mjs'

/** The steps that are not done, in order. A few milliseconds: the launcher asks at every start. */
export function dueSteps() {
  const engineDue = !engineReady()
  return [
    ...(packagesReady() ? [] : ['packages']),
    ...(engineDue ? ['libtorch', 'engine'] : []),
    ...(typescriptReady() ? [] : ['typescript']),
  ]
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
  await withLock(join(buildDir, 'setup.lock'), () => runSteps(new Set(due()), { quiet, acceptCudaWheel }), {
    onWait,
  })
  return first
}

async function runSteps(due, { quiet, acceptCudaWheel }) {
  if (due.size === 0 && !acceptCudaWheel) return
  if (!quiet) console.error('\nset-up')
  if (due.has('packages')) await step('packages', quiet, installPackages)
  if (due.has('libtorch') || due.has('engine') || acceptCudaWheel) {
    let torch
    await step('libtorch', quiet, async (say) => {
      torch = await provideLibtorch(say, { acceptCudaWheel })
      return describeLibtorch(torch)
    })
    if (due.has('engine') || acceptCudaWheel) await step('engine', quiet, (say) => compileEngine(say, torch))
  }
  if (due.has('typescript')) await step('typescript', quiet, compileTypeScript)
  if (!quiet) console.error('')
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
    engine: () => `engine ${built.buildId} (${built.levels?.join(', ')})`,
    typescript: () => (existsSync(join(root, 'src')) ? 'dist/ is current' : 'dist/ as published'),
  }
  return Object.entries(lines).map(([name, text]) => {
    const done = name === 'libtorch' ? torch !== undefined : !due.has(name)
    return { name, done, text: done ? text() : 'not done, or out of date' }
  })
}
