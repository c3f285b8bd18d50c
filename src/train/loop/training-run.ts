/** What a training is given, and what it tells whoever runs it. */
import type { Conditions } from '../../checkpoint/policy/state.js'
import type { OptimizerOptions } from '../../optim/optimizer.js'
import type { MetricRow } from '../../runs/metrics.js'
import type { OpenRunOptions } from '../../runs/open-run.js'
import type { GuideSettings } from '../guidance/guidance.js'
import type { Profile } from '../profile/profile.js'
import type { TrainItem } from './items.js'
import type { LoopOptions } from './loop.js'
import type { BatchPlace } from './rehearsal.js'
import type { Trainable } from './step.js'

export interface TrainingRun {
  dir: string
  trainable: Trainable
  items: readonly TrainItem[]
  devItems: readonly TrainItem[]
  loop: Omit<LoopOptions, 'saveBest'>
  /** Record a few steps for `hooks.profiled`. */
  profile?: boolean
  optimizer: OptimizerOptions
  manifest: Omit<OpenRunOptions, 'resume'>
  conditions: Conditions
  /** Every setting that changes the numbers, and the hashes of the data. */
  trajectory: Record<string, unknown>
  tokenizerDir: string
  saveTotalLimit: number
  loadBest: boolean
  tensorboard: boolean
  /**
   * True: from the newest valid checkpoint of `dir`. A path: from that checkpoint or run folder; the run goes on in its
   * folder where that is `dir`, and begins another one where it is not.
   */
  resume: boolean | string
  allowInexact: boolean
  /** Settings that warnings name; without them nothing is warned of. */
  guidance?: GuideSettings
  /** The micro-batch that needs the most memory: it is tried before the first step. */
  largest?: BatchPlace
  /** Called when the folder is ours and what it holds fits; nothing was written before. */
  opened?(): Promise<void>
  hooks: RunHooks
}

export interface RunHooks {
  progress(step: number, total: number, fields: Record<string, number>): void
  warn(text: string, advice?: string): void
  /** A checkpoint was found: the run goes on after its step. */
  resumed?(step: number, total: number): void
  /** Before the first step: the largest micro-batch went through. */
  rehearsed?(seconds: number): void
  log?(row: MetricRow): void
  generate?(step: number): Promise<Record<string, number>>
  stopRequested(): boolean
  profiled?(profile: Profile): void
}
