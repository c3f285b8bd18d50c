/** The state of training beside the weights: where it stood, with which seed, under which conditions it ran. */

import { join } from 'node:path'
import { noCheckpointError } from '../../errors.js'
import { readJson } from '../../files/json.js'
import { jsonFile, type SaveFile } from '../format/save-file.js'

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
  seed: number
  bestMetric?: number
  bestStep?: number
  /** A loss's own state, such as a running mean. */
  lossState: Record<string, unknown>
  conditions: Conditions
  /** Every setting that changes the numbers: configuration keys, data hashes, world size. JSON values. */
  trajectory: Record<string, unknown>
}

export const STATE_FILE = 'training_state.json'
const STATE_FORMAT = 'clha-training-state/1'

/** The state as a file of a checkpoint. */
export const trainingStateFile = (state: TrainingState): SaveFile =>
  jsonFile(STATE_FILE, { format: STATE_FORMAT, ...state })

/**
 * Reads the state from a checkpoint that was verified; those of 0.1.0 hold more, which nothing reads.
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
  const { step, seed, bestMetric, bestStep, lossState, conditions, trajectory } = value
  return { step, seed, bestMetric, bestStep, lossState, conditions, trajectory }
}

function isState(value: unknown): value is TrainingState {
  if (typeof value !== 'object' || value === null) return false
  const state = value as Record<string, unknown>
  const numbers = ['step', 'seed'].every((key) => typeof state[key] === 'number')
  const objects = ['lossState', 'conditions', 'trajectory'].every(
    (key) => typeof state[key] === 'object' && state[key] !== null,
  )
  return state.format === STATE_FORMAT && numbers && objects
}
