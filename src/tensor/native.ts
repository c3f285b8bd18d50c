/** The addon, loaded on first use, with the types of what it exports. */
import { createRequire } from 'node:module'
import { resourceError, usageError } from '../errors.js'

export interface EngineInfo {
  libtorch: string
  /** Vector instructions in use: `avx512`, `avx2` or `default`. */
  cpuLevel: string
  buildId: string
  /** Who multiplies many rows of a type on the CPU, such as `oneDNN`. */
  multipliers: Record<'f32' | 'f64' | 'bf16', string>
  threads: number
  /** Whether libtorch's CUDA part is in this process; a GPU may still be missing. */
  cuda: boolean
  /** The GPUs that are seen, in CUDA's order; `bytes` of memory, `capability` such as 9.0. */
  devices: { name: string; bytes: number; capability: string }[]
}

export interface SchemaPart {
  name: string
  type: string
  optional: boolean
}

/** Tensors, operators and generators travel as numbers; what they stand for lives in the addon. */
export interface Native {
  findOperator(name: string, overload: string): number
  schemaOf(operator: number): { text: string; arguments: SchemaPart[]; returns: SchemaPart[] }
  call(operator: number, args: unknown[]): unknown
  releaseMany(handles: number[]): number
  shapeOf(handle: number): number[]
  dtypeOf(handle: number): number
  deviceOf(handle: number): string
  itemOf(handle: number): number
  allocate(shape: readonly number[], dtype: number, device?: string): number
  mapFile(fd: number, offset: number, shape: readonly number[], dtype: number): number
  bytesOf(handle: number): Uint8Array
  writeBytes(handle: number, bytes: Uint8Array): void
  readBytes(handle: number): Uint8Array
  backward(handle: number, seed?: number): void
  gradients(outputs: number[], inputs: number[], seeds?: number[]): (number | null)[]
  gradOf(handle: number): number | null
  setGrad(handle: number, grad?: number): void
  requiresGrad(handle: number, value?: boolean): boolean
  setGradEnabled(value: boolean): boolean
  createGenerator(seed: number): number
  generatorState(generator: number, state?: number): number
  dropGenerator(generator: number): boolean
  memory(resetPeak?: boolean): { tensors: number; bytes: number; peakBytes: number }
  setThreads(count: number): number
  engine(): EngineInfo
  deviceMemory(device: string, resetPeak?: boolean): { bytes: number; peakBytes: number }
  tryLock(path: string): number | null
  unlock(fd: number): void
}

let loaded: Native | undefined

/** @throws ClhaError (exit 2) when the engine is not built, or CLHA_CPU_LEVEL asks for what this processor lacks */
export function native(): Native {
  loaded ??= load()
  return loaded
}

interface Loader {
  loadEngine(): Native | undefined
  setupCommand: string
}

function load(): Native {
  const { loadEngine, setupCommand } = createRequire(import.meta.url)(
    '../../scripts/setup/load.cjs',
  ) as Loader
  let engine: Native | undefined
  try {
    engine = loadEngine()
  } catch (error) {
    const { message } = error as Error
    if (message.startsWith('CLHA_CPU_LEVEL'))
      throw usageError(message, 'unset CLHA_CPU_LEVEL: the widest level of the processor is taken')
    throw resourceError(`the engine does not load: ${message}`, `run: ${setupCommand}`)
  }
  if (!engine) throw usageError('the engine is not built', `run: ${setupCommand}`)
  return engine
}
