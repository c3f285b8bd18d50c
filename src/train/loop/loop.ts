/** The loop of every method: order, step, log, evaluate, save, stop. */
import { setImmediate as yieldToLoop } from 'node:timers/promises'
import { stepIndices, stepsPerEpoch } from '../../data/encode/order.js'
import type { Optimizer } from '../../optim/optimizer.js'
import { type Schedule, scheduleFactor } from '../../optim/schedule.js'
import { phase } from '../profile/profile-phases.js'
import type { StepWork } from '../profile/profile-work.js'
import { BestTracker, type Progress } from './best.js'
import { createInterval } from './interval.js'
import { type PackStepOptions, packStep, type StepBatch, type TrainItem } from './items.js'
import { evaluateStep, type Trainable, trainStep } from './step.js'

export interface LoopOptions extends PackStepOptions {
  seed: number
  /** Lists of one optimizer step. */
  batchSize: number
  totalSteps: number
  learningRate: number
  schedule: Schedule
  maxGradNorm: number
  loggingSteps: number
  evalSteps?: number
  saveSteps?: number
  /** Save whenever an evaluation is the best so far, so that the best can be loaded at the end. */
  saveBest?: boolean
  evalGenerationSteps?: number
  /** Evaluate before the first step too; that evaluation is never the best. */
  evalOnStart?: boolean
  metricForBestModel: string
  greaterIsBetter: boolean
  earlyStoppingPatience?: number
}

/** What the loop tells and asks of whoever runs it. */
export interface LoopHooks {
  /** A row for the log: every `loggingSteps`, and after each evaluation. */
  log(row: { step: number; [name: string]: number }): void
  progress(step: number, fields: Record<string, number>): void
  /** Saves a checkpoint; the loop waits for nothing else. */
  save?(progress: Progress): void
  /** Metrics of generated answers, names with `eval_`. */
  generate?(): Promise<Record<string, number>>
  stopRequested(): boolean
  /** Around each step, its log row included: the profiler. Steps count from 1. */
  stepBegins?(step: number): void
  stepEnds?(work: StepWork): void
}

/** All that a loop works with. */
export interface Loop {
  trainable: Trainable
  optimizer: Optimizer
  items: readonly TrainItem[]
  devItems: readonly TrainItem[]
  options: LoopOptions
  hooks: LoopHooks
  /** Of a training that goes on. */
  start?: Progress
}

export interface LoopOutcome extends Progress {
  stopped: boolean
  /** The last row of each kind, merged. */
  metrics: Record<string, number>
}

/**
 * Trains until the last step, a stop, or too many evaluations without a better one.
 * @throws ClhaError (exit 5) before the update when a loss or a gradient is not finite
 */
export async function trainLoop(loop: Loop): Promise<LoopOutcome> {
  const { trainable, optimizer, options, hooks, start = { step: 0, tokens: 0 } } = loop
  const { totalSteps, maxGradNorm } = options
  const best = new BestTracker(options, start)
  const interval = createInterval(trainable.model, start)
  const log = createLog(loop)
  const evaluate = createEvaluation(loop, best, log.write)
  const progress = (): Progress => ({ step, ...interval.state(), ...best.state() })
  let step = start.step
  let saved = step
  const save = () => {
    hooks.save?.(progress())
    saved = step
  }
  // An evaluation that fails (a server is gone, a disk full) costs no step.
  const saveAndThrow = (error: unknown): never => {
    save()
    throw error
  }
  if (options.evalOnStart && step === 0) await evaluate(step)
  while (step < totalSteps && !hooks.stopRequested() && !best.exhausted()) {
    hooks.stepBegins?.(step + 1)
    const batch = phase('pack', () => batchOf(loop, step))
    const learningRate = options.learningRate * scheduleFactor(options.schedule, options.learningRate, step)
    const losses = trainStep(trainable, batch, optimizer, interval.tally(), {
      learningRate,
      maxGradNorm,
      step,
    })
    step += 1
    const work = interval.add(batch, losses)
    hooks.progress(step, losses ?? {})
    if (due(step, options.loggingSteps, totalSteps)) {
      phase('log', () => log.write(step, interval.row(learningRate)))
      interval.restart()
    }
    hooks.stepEnds?.(work)
    const isBest = evaluationDue(loop, step) && (await evaluate(step).catch(saveAndThrow))
    if (saveDue(loop, step) || (isBest && options.saveBest)) save()
    await yieldToLoop()
  }
  const stopped = step < totalSteps && hooks.stopRequested()
  if (saved < step) save()
  optimizer.clearGradients()
  return { ...progress(), stopped, metrics: log.last() }
}

/** The lists of a step, packed. */
function batchOf({ items, options }: Loop, step: number): StepBatch {
  const { indices } = stepIndices(items.length, options.batchSize, options.seed, step)
  return packStep(
    Array.from(indices, (i) => items[i]),
    options,
  )
}

/** Rows for the log, and the last value of each name. */
function createLog({ items, options, hooks }: Loop) {
  const perEpoch = stepsPerEpoch(items.length, options.batchSize)
  let metrics: Record<string, number> = {}
  return {
    write: (step: number, row: Record<string, number>): void => {
      metrics = { ...metrics, ...row }
      hooks.log({ step, epoch: step / perEpoch, ...row })
    },
    last: () => metrics,
  }
}

/** @returns evaluates and logs what is due at a step; whether it was the best so far */
function createEvaluation(
  { trainable, devItems, options, hooks }: Loop,
  best: BestTracker,
  log: (step: number, row: Record<string, number>) => void,
): (step: number) => Promise<boolean> {
  const held = devItems.length > 0 ? packStep(devItems, options) : undefined
  return async (step) => {
    const row: Record<string, number> = {}
    if (held) for (const [k, v] of Object.entries(evaluateStep(trainable, held))) row[`eval_${k}`] = v
    if (hooks.generate && due(step, options.evalGenerationSteps, options.totalSteps))
      Object.assign(row, await hooks.generate())
    if (Object.keys(row).length === 0) return false
    const isBest = step > 0 && best.see(step, row)
    log(step, row)
    return isBest
  }
}

const evaluationDue = (loop: Loop, step: number): boolean =>
  endsEpoch(loop, step) || due(step, loop.options.evalSteps) || due(step, loop.options.evalGenerationSteps)

const saveDue = (loop: Loop, step: number): boolean =>
  endsEpoch(loop, step) || due(step, loop.options.saveSteps)

const endsEpoch = ({ items, options }: Loop, step: number): boolean =>
  step % stepsPerEpoch(items.length, options.batchSize) === 0 || step === options.totalSteps

/** At every `every`-th step; at the last one too where `last` is given. */
function due(step: number, every: number | undefined, last?: number): boolean {
  if (!every) return false
  return step % every === 0 || step === last
}
