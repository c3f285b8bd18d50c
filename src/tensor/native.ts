/** The addon, loaded on first use, with the types of what it exports. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { resourceError, usageError } from '../errors.js'

export interface EngineInfo {
  libtorch: string
  cpuLevel: string
  buildId: string
  threads: number
  /** Whether loops run on the addon's own threads; false where OpenMP's variables tune libgomp, which then runs them as it is. */
  ownThreads: boolean
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
  /** What a team of `size` threads does on `cores` cores of which others keep `others` busy. */
  threadPlan(
    size: number,
    cores: number,
    others: number,
    wasBusy: boolean,
  ): { active: number; spinNs: number; busy: boolean }
  /** Cores by the CPU quota of control groups, below a root folder; 0 without one. */
  quotaCores(root: string): number
  engine(): EngineInfo
  deviceMemory(device: string, resetPeak?: boolean): { bytes: number; peakBytes: number }
  tryLock(path: string): number | null
  unlock(fd: number): void
}

let loaded: Native | undefined

/** @throws ClhaError (exit 2) when the engine is not built, with the command that builds it. */
export function native(): Native {
  loaded ??= load()
  return loaded
}

function load(): Native {
  const path = fileURLToPath(new URL('../../build/clha.node', import.meta.url))
  if (!existsSync(path)) throw usageError('the engine is not built', 'run: node scripts/setup.mjs')
  try {
    return createRequire(import.meta.url)(path) as Native
  } catch (error) {
    throw resourceError(
      `the engine does not load: ${(error as Error).message}`,
      'run: node scripts/setup.mjs',
    )
  }
}
