/** The loop of every method: order, step, log, evaluate, save, stop. */
import { stepIndices, stepsPerEpoch } from '../../data/encode/order.js'
import type { Optimizer } from '../../optim/optimizer.js'
import { type Schedule, scheduleFactor } from '../../optim/schedule.js'
import { currentDevice, memory, native } from '../../tensor/index.js'
import { createProfiler, type Profile } from '../profile/profile.js'
import { matrixPeak } from '../profile/profile-peak.js'
import { station } from '../profile/profile-stations.js'
import { noWork, tallySavings, workMeter } from '../profile/profile-work.js'
import { BestTracker, type Progress } from './best.js'
import { type PlanOptions, planStep, type TrainItem } from './items.js'
import { evaluateStep, type Trainable, trainStep } from './step.js'
import { Tally, type TallyState } from './step-metrics.js'

export interface LoopOptions extends PlanOptions {
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
  /** Record a few steps for `hooks.profiled`. */
  profile?: boolean
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
  profiled?(profile: Profile): void
}

export interface LoopOutcome extends Progress {
  stopped: boolean
  /** The last row of each kind, merged. */
  metrics: Record<string, number>
}

const yieldToLoop = () => new Promise<void>((resolve) => setImmediate(resolve))

export async function trainLoop(
  trainable: Trainable,
  optimizer: Optimizer,
  items: readonly TrainItem[],
  devItems: readonly TrainItem[],
  options: LoopOptions,
  hooks: LoopHooks,
  start: Progress = { step: 0, tokens: 0 },
): Promise<LoopOutcome> {
  const { batchSize, totalSteps, seed } = options
  const perEpoch = stepsPerEpoch(items.length, batchSize)
  const devPlan = devItems.length > 0 ? planStep(devItems, options) : undefined
  const best = new BestTracker(options, start)
  const workOf = workMeter(trainable.model)
  const peak = matrixPeak(trainable.model.dtype, trainable.model.bf16 ? 'bf16' : undefined)
  const profiler = options.profile ? createProfiler(totalSteps - start.step, peak) : undefined
  let tokens = start.tokens
  let metrics: Record<string, number> = {}
  let skipped = start.skipped ?? 0
  let interval = newInterval(start.tally)
  let saved = start.step
  const progress = (step: number): Progress => ({
    step,
    tokens,
    skipped,
    tally: interval.tally.state(),
    ...best.state(),
  })
  const report = (step: number, row: Record<string, number>) => {
    metrics = { ...metrics, ...row }
    hooks.log({ step, epoch: step / perEpoch, ...row })
  }
  /** @returns whether it was the best so far */
  const evaluate = async (step: number): Promise<boolean> => {
    const row: Record<string, number> = {}
    if (devPlan) for (const [k, v] of Object.entries(evaluateStep(trainable, devPlan))) row[`eval_${k}`] = v
    if (hooks.generate && due(step, options.evalGenerationSteps, totalSteps))
      Object.assign(row, await hooks.generate())
    if (Object.keys(row).length === 0) return false
    const isBest = step > 0 && best.see(step, row)
    report(step, row)
    return isBest
  }
  let step = start.step
  if (options.evalOnStart && step === 0) await evaluate(step)
  while (step < totalSteps && !hooks.stopRequested() && !best.exhausted()) {
    const { indices } = stepIndices(items.length, batchSize, seed, step)
    profiler?.begin(step + 1)
    const plan = station('pack', () =>
      planStep(
        Array.from(indices, (i) => items[i]),
        options,
      ),
    )
    const learningRate = options.learningRate * scheduleFactor(options.schedule, options.learningRate, step)
    const losses = trainStep(trainable, plan, optimizer, interval.tally, {
      learningRate,
      maxGradNorm: options.maxGradNorm,
      step,
    })
    step += 1
    const work = losses ? workOf(plan) : noWork()
    const stepTokens = plan.micro.reduce((sum, b) => sum + b.tokens.length, 0)
    tokens += stepTokens
    interval.tokens += stepTokens
    interval.flops += work.flops
    tallySavings(interval.tally, work)
    for (const [name, value] of Object.entries(losses ?? {})) interval.tally.add(name, value)
    if (!losses) skipped += 1
    hooks.progress(step, losses ?? {})
    if (due(step, options.loggingSteps, totalSteps)) {
      const row = {
        ...interval.tally.means(),
        learning_rate: learningRate,
        num_tokens: tokens,
        ...(skipped > 0 && { skipped_steps: skipped }),
        ...pace(interval, peak),
      }
      station('log', () => report(step, row))
      interval = newInterval()
    }
    const profile = profiler?.end(work)
    if (profile) hooks.profiled?.(profile)
    const endOfEpoch = step % perEpoch === 0 || step === totalSteps
    const evaluates = endOfEpoch || due(step, options.evalSteps) || due(step, options.evalGenerationSteps)
    const isBest = evaluates && (await evaluate(step))
    if (hooks.save && (endOfEpoch || due(step, options.saveSteps) || (isBest && options.saveBest))) {
      hooks.save(progress(step))
      saved = step
    }
    await yieldToLoop()
  }
  const stopped = step < totalSteps && hooks.stopRequested()
  if (hooks.save && saved < step) hooks.save(progress(step))
  optimizer.clearGradients()
  return { ...progress(step), stopped, metrics }
}

/** At every `every`-th step; at the last one too where `last` is given. */
function due(step: number, every: number | undefined, last?: number): boolean {
  if (!every) return false
  return step % every === 0 || step === last
}

interface Interval {
  tally: Tally
  tokens: number
  /** Of the model, as its sizes ask for them. */
  flops: number
  started: number
}

const newInterval = (state?: TallyState): Interval => ({
  tally: new Tally(state),
  tokens: 0,
  flops: 0,
  started: performance.now(),
})

function pace({ tokens, flops, started }: Interval, peak: number): Record<string, number> {
  const seconds = (performance.now() - started) / 1000
  const { tensors, leaked } = memory()
  const gpu = currentDevice().startsWith('cuda') && native().deviceMemory(currentDevice())
  return {
    tokens_per_second: tokens / seconds,
    mfu: flops / seconds / peak,
    tensors,
    leaked_tensors: leaked,
    memory_mib: process.memoryUsage.rss() / 2 ** 20,
    peak_memory_mib: process.resourceUsage().maxRSS / 1024,
    ...(gpu && { gpu_memory_mib: gpu.bytes / 2 ** 20, peak_gpu_memory_mib: gpu.peakBytes / 2 ** 20 }),
  }
}
