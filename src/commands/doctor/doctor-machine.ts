/** Facts about this machine: platform, processor, memory, disk, tools. */
import { execFile } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { availableParallelism, cpus, freemem, release, totalmem } from 'node:os'
import { promisify } from 'node:util'
import { bytes } from '../../show/units.js'

export interface Check {
  name: string
  /** `note` is worth knowing, `missing` stops clha from working. */
  state: 'ok' | 'note' | 'missing'
  text: string
  /** What to do. */
  advice?: string
}

/** Room for the private libtorch, the compiled engine and a small run. */
const DISK_NEEDED = 2e9

export async function* machineChecks(): AsyncGenerator<Check> {
  yield platformCheck()
  yield nodeCheck(process.versions.node)
  yield cpuCheck()
  yield memoryCheck()
  yield await diskCheck()
  yield await pythonCheck()
}

/** Only what the tests run on is called tested. */
export function platformCheck(platform: string = process.platform, arch: string = process.arch): Check {
  const name = `${platform}-${arch}`
  if (name === 'linux-x64')
    return {
      name: 'platform',
      state: 'ok',
      text: `${name}, kernel ${release()}; the only platform that is tested`,
    }
  const text = `${name}: not tested; only Linux on x86-64 is`
  if (platform === 'win32') return { name: 'platform', state: 'missing', text, advice: 'use WSL 2' }
  return { name: 'platform', state: 'note', text, advice: 'it may work; nobody has checked' }
}

export function nodeCheck(version: string): Check {
  const ok = Number(version.split('.')[0]) >= 20
  const advice = ok ? undefined : 'install Node 20 or later'
  return { name: 'node', state: ok ? 'ok' : 'missing', text: `v${version}`, advice }
}

function cpuCheck(): Check {
  const model = cpus()[0]?.model.trim() || 'unknown processor'
  return { name: 'processor', state: 'ok', text: `${model}, ${availableParallelism()} threads` }
}

function memoryCheck(): Check {
  // What Linux can make available counts caches; os.freemem() alone looks far too small there.
  const free = process.availableMemory?.() ?? freemem()
  const state = free < 2e9 ? 'note' : 'ok'
  const advice = state === 'note' ? 'compiling the engine takes about 2 GB; close other programs' : undefined
  return { name: 'memory', state, text: `${bytes(free)} free of ${bytes(totalmem())}`, advice }
}

async function diskCheck(): Promise<Check> {
  const { bavail, bsize } = await statfs('.')
  const free = bavail * bsize
  const ok = free >= DISK_NEEDED
  const advice = ok ? undefined : `set-up and a small run take ${bytes(DISK_NEEDED)}`
  return { name: 'disk', state: ok ? 'ok' : 'note', text: `${bytes(free)} free in this folder`, advice }
}

async function pythonCheck(): Promise<Check> {
  const python = process.env.PYTHON || 'python3'
  const pip = await promisify(execFile)(python, ['-m', 'pip', '--version'], { timeout: 20_000 }).catch(
    () => undefined,
  )
  if (pip)
    return {
      name: 'python',
      state: 'ok',
      text: `${python}: ${pip.stdout.trim().replace(/ from .*\(/, ' (')}`,
    }
  return {
    name: 'python',
    state: 'note',
    text: `${python} with pip was not found; only set-up uses it, to fetch libtorch`,
    advice: 'Debian, Ubuntu: apt install python3-pip     or set LIBTORCH',
  }
}
