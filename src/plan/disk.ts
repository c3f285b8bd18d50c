/** Room that the checkpoints of a run take. */
import type { ModelShape } from './shape.js'

export interface DiskPlan {
  checkpoint: number
  /** Checkpoints at the same time: those that are kept, the best, and the one being written before another goes. */
  checkpoints: number
  bytes: number
}

/** Before it writes, a checkpoint asks for this many times its size. */
const HEADROOM = 1.2

export interface DiskOptions {
  moments: number
  saveTotalLimit: number
  keepsBest: boolean
  /** How many the run makes in all. */
  saves: number
}

export function diskPlan(shape: ModelShape, options: DiskOptions): DiskPlan {
  const { moments, saveTotalLimit, keepsBest, saves } = options
  const model = shape.adapter ? shape.trainedBytes : shape.weightBytes
  const checkpoint = model + moments * shape.trainedBytes
  const kept = Math.min(saves, saveTotalLimit + (keepsBest ? 1 : 0))
  const writing = saves > kept ? HEADROOM : HEADROOM - 1
  return { checkpoint, checkpoints: kept, bytes: checkpoint * (kept + writing) }
}
