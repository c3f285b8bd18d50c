/** The state of training beside the weights: where it stood, from what it draws, under which conditions it ran. */

import { join } from 'node:path'
import { noCheckpointError } from '../../errors.js'
import { readJson } from '../../files/json.js'
import { openSafetensors } from '../format/safetensors.js'
import { jsonFile, type SaveFile, safetensorsFile } from '../format/save-file.js'

/** What must be equal for bit-identical numbers, besides the trajectory's own keys. */
export interface Conditions {
  libtorch: string
  /** The CPU capability level that libtorch dispatches to. */
  cpuLevel: string
  threads: number
  /** Of the native addon. */
  build: string
  clha: string
  /** The GPU that computes, such as `NVIDIA H100`; left out on the CPU. */
  gpu?: string
}

export interface TrainingState {
  /** Optimizer steps done. */
  step: number
  epoch: number
  /** Position within the epoch's order, in examples. */
  cursor: number
  seed: number
  bestMetric?: number
  bestStep?: number
  /** A loss's own state, such as a running mean. */
  lossState: Record<string, unknown>
  /** Generator name to its state bytes. */
  rng: Record<string, Uint8Array>
  conditions: Conditions
  /** Every setting that changes the numbers: configuration keys, data hashes, world size. JSON values. */
  trajectory: Record<string, unknown>
}

export const STATE_FILE = 'training_state.json'
export const RNG_FILE = 'rng_state.safetensors'
const STATE_FORMAT = 'clha-training-state/1'

/** The state as files of a checkpoint: JSON, and the generators as U8 tensors. */
export function trainingStateFiles(state: TrainingState): SaveFile[] {
  const { rng, ...rest } = state
  const generators = Object.entries(rng).map(([name, bytes]) => {
    return { name, dtype: 'U8' as const, shape: [bytes.byteLength], bytes }
  })
  return [jsonFile(STATE_FILE, { format: STATE_FORMAT, ...rest }), safetensorsFile(RNG_FILE, generators)]
}

/**
 * Reads the state from a checkpoint that was verified.
 *
 * @throws ClhaError (exit 7) if the folder holds no training state that this version reads
 */
export function readTrainingState(checkpoint: string): TrainingState {
  const path = join(checkpoint, STATE_FILE)
  let value: unknown
  try {
    value = readJson(path)
  } catch (error) {
    throw noCheckpointError(
      `${path}: not readable: ${(error as Error).message}`,
      'weights alone can start a run, not resume it',
    )
  }
  if (!isState(value)) throw noCheckpointError(`${path}: not in the format ${STATE_FORMAT}`)
  const { format, ...state } = value
  return { ...state, rng: readGenerators(join(checkpoint, RNG_FILE)) }
}

function readGenerators(path: string): Record<string, Uint8Array> {
  const file = openSafetensors(path)
  try {
    const rng: [string, Uint8Array][] = []
    for (const [name, { begin, end }] of file.entries) {
      const bytes = new Uint8Array(end - begin)
      file.readInto(name, bytes)
      rng.push([name, bytes])
    }
    return Object.fromEntries(rng)
  } finally {
    file.close()
  }
}

function isState(value: unknown): value is Omit<TrainingState, 'rng'> & { format: string } {
  if (typeof value !== 'object' || value === null) return false
  const state = value as Record<string, unknown>
  const numbers = ['step', 'epoch', 'cursor', 'seed'].every((key) => typeof state[key] === 'number')
  const objects = ['lossState', 'conditions', 'trajectory'].every(
    (key) => typeof state[key] === 'object' && state[key] !== null,
  )
  return state.format === STATE_FORMAT && numbers && objects
}
