/** What `clha plan` finds out. */
import type { Change } from '../../plan/advice.js'
import type { DiskPlan } from '../../plan/disk.js'
import type { TrainingPlan } from '../../plan/plan.js'
import type { TokenFigures } from '../../plan/tokens.js'

export interface PlanResult extends TrainingPlan {
  /** What it was made for. */
  machine: string
  parameters: number
  trained: number
  data: TokenFigures
  disk: DiskPlan
  flops: number
  /** Of the training alone, without evaluations, checkpoints and generated answers. */
  seconds: number
  secondsPerStep: number
  /** Matrix FLOP/s that the blocks were measured at, or are assumed to reach. */
  rate: number
  changes: Change[]
}
