/** Compiler, libtorch and engine, as the set-up scripts see them: one place decides what counts as found. */
import { ClhaError } from '../../errors.js'
import { EXIT } from '../../exit-codes.js'
import type { EngineInfo } from '../../tensor/index.js'
import type { Check } from './doctor-machine.js'
import { productChecks } from './doctor-products.js'

interface Libtorch {
  path: string
  version: string
  build: 'CPU' | 'CUDA'
  origin: string
}

interface SetUp {
  cpuLevel(): string
  findCompiler(): Promise<{ command: string; version: string }>
  findLibtorch(): Promise<Libtorch | null>
  engineReady(): boolean
  /** The engine that npm installed beside clha; null where there is none. */
  findPrebuilt(): { libtorch: string } | null
  tilde(path: string): string
}

const script = (name: string): string => new URL(`../../../scripts/setup/${name}.mjs`, import.meta.url).href

async function loadSetUp(): Promise<SetUp> {
  const names = ['cpu', 'engine', 'libtorch', 'paths', 'prebuilt']
  return Object.assign({}, ...(await Promise.all(names.map((name) => import(script(name)))))) as SetUp
}

const SET_UP = 'clha setup'

export async function* setUpChecks(): AsyncGenerator<Check> {
  const setUp = await loadSetUp()
  yield await compilerCheck(setUp)
  yield await libtorchCheck(setUp)
  const loaded = setUp.engineReady() ? await loadEngine() : undefined
  const engine = loaded instanceof ClhaError ? undefined : loaded
  yield loaded instanceof ClhaError ? failed('engine', loaded) : engineCheck(setUp)
  yield levelCheck(engine?.cpuLevel ?? setUp.cpuLevel())
  yield deviceCheck(engine)
  if (engine) yield* productChecks()
}

/** @param level the vector instructions that are used */
export function levelCheck(level: string): Check {
  const slow = level === 'default'
  const advice = slow ? 'it works, several times slower than with AVX2' : undefined
  return {
    name: 'cpu level',
    state: slow ? 'note' : 'ok',
    text: slow ? 'neither AVX2 nor AVX-512' : level,
    advice,
  }
}

async function compilerCheck(setUp: SetUp): Promise<Check> {
  const prebuilt = setUp.findPrebuilt()
  if (prebuilt) {
    const text = `not needed: npm installed an engine for libtorch ${prebuilt.libtorch}`
    return { name: 'compiler', state: 'ok', text }
  }
  try {
    const { command, version } = await setUp.findCompiler()
    return { name: 'compiler', state: 'ok', text: `${command}: ${version}` }
  } catch (error) {
    return failed('compiler', error)
  }
}

async function libtorchCheck(setUp: SetUp): Promise<Check> {
  try {
    const torch = await setUp.findLibtorch()
    if (torch === null) {
      const advice = `${SET_UP}     fetches a private copy\nor set LIBTORCH to a folder with lib/ and include/`
      return { name: 'libtorch', state: 'missing', text: 'none found', advice }
    }
    const where = `${setUp.tilde(torch.path)} (${torch.origin})`
    return { name: 'libtorch', state: 'ok', text: `${torch.version} ${torch.build}, ${where}` }
  } catch (error) {
    return failed('libtorch', error)
  }
}

function engineCheck(setUp: SetUp): Check {
  if (setUp.engineReady()) return { name: 'engine', state: 'ok', text: 'up to date' }
  const text = 'not built, or older than its sources'
  return { name: 'engine', state: 'missing', text, advice: `${SET_UP}     compiles it` }
}

/**
 * What the engine says of itself, or why it does not load.
 * @throws ClhaError (exit 2) where CLHA_CPU_LEVEL asks for what this processor lacks
 */
async function loadEngine(): Promise<EngineInfo | ClhaError> {
  const { native } = await import('../../tensor/index.js')
  try {
    return native().engine()
  } catch (error) {
    if (error instanceof ClhaError && error.exitCode !== EXIT.usage) return error
    throw error
  }
}

/** @param engine undefined where it is not built, or does not load */
export function deviceCheck(engine: Pick<EngineInfo, 'cuda' | 'devices'> | undefined): Check {
  const name = 'device'
  if (!engine) return { name, state: 'note', text: 'known once the engine is built' }
  if (engine.devices.length > 0) {
    const listed = engine.devices.map(({ name: model, bytes, capability }, i) => {
      const facts = [bytes > 0 && `${(bytes / 1e9).toFixed(0)} GB`, capability && `capability ${capability}`]
      return [`cuda:${i} ${model}`, ...facts.filter(Boolean)].join(', ')
    })
    return { name, state: 'ok', text: listed.join('; ') }
  }
  if (!engine.cuda) return { name, state: 'ok', text: 'CPU; this libtorch has no CUDA' }
  const advice = 'nvidia-smi shows whether the driver works; CUDA_VISIBLE_DEVICES may hide a GPU'
  return { name, state: 'note', text: 'CPU; libtorch has CUDA, but sees no GPU', advice }
}

/** Set-up's errors carry a hint; anything else is not expected here. */
function failed(name: string, error: unknown): Check {
  if (!(error instanceof Error) || !('hint' in error)) throw error
  return { name, state: 'missing', text: error.message, advice: String(error.hint) }
}
