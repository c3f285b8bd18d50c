// What of the set-up stands and what is missing; needs nothing but Node, so it also works when set-up failed.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { cpuLevel } from './setup/cpu.mjs'
import { findCompiler } from './setup/engine.mjs'
import { describeLibtorch, findLibtorch } from './setup/libtorch.mjs'
import { cacheDir, platform, setupCommand, tilde } from './setup/paths.mjs'
import { python } from './setup/pip.mjs'
import { findPrebuilt } from './setup/prebuilt.mjs'
import { run } from './setup/run.mjs'
import { describeSetUp, dueSteps } from './setup/steps.mjs'
import { hasKnownSum, wheels } from './setup/wheels.mjs'

const line = (ok, name, text) => console.log(`  ${name.padEnd(14)}${ok ? '✓' : '✗'} ${text}`)

const withHint = ({ message, hint }) => `${message}\n${hint.replace(/^/gm, ' '.repeat(18))}`

/** Prints the state of this machine and of the set-up; returns 0, or 4 when something is missing. */
export async function setUpDoctor() {
  console.log('clha doctor · set-up only\n\nthis machine')
  const node = Number(process.versions.node.split('.')[0]) >= 20
  line(
    node,
    'node',
    `${process.version}${node ? '' : '; 20 or later is needed'} on ${platform}, CPU level ${cpuLevel()}`,
  )
  const prebuilt = findPrebuilt()
  const compiler = await findCompiler().catch((error) => error)
  if (prebuilt)
    line(true, 'compiler', `not needed: npm installed an engine for libtorch ${prebuilt.libtorch}`)
  else if (compiler instanceof Error) line(false, 'compiler', withHint(compiler))
  else line(true, 'compiler', compiler.version)
  const torch = await findLibtorch().catch((error) => error)
  if (torch instanceof Error) line(false, 'libtorch', withHint(torch))
  else if (torch) line(true, 'libtorch', describeLibtorch(torch))
  else await sayHowItIsFetched()

  console.log('\nset-up')
  for (const { name, done, text } of describeSetUp()) line(done, name, text)
  const due = dueSteps()
  if (due.length === 0) return 0
  console.log(`\nnext     ${setupCommand}      does what is missing, and says what stops it`)
  return 4
}

async function sayHowItIsFetched() {
  const pip = await run(python, ['-m', 'pip', '--version'])
  const wheel = wheels[platform]
  if (!wheel)
    return line(false, 'libtorch', `none found, and PyTorch has no wheel for ${platform}: set LIBTORCH`)
  if (pip.code !== 0)
    return line(false, 'libtorch', `none found, and ${python} with pip, which would fetch it, is missing`)
  const tried = hasKnownSum() ? '' : ` (not tested on ${platform})`
  const where = existsSync(cacheDir) ? tilde(cacheDir) : `${tilde(cacheDir)}, which does not exist yet`
  line(
    false,
    'libtorch',
    `none found; set-up fetches ${wheel.version}, about ${Math.round(wheel.size / 1e6)} MB, into ${where}${tried}`,
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await setUpDoctor()
