/** The loop of every method: order, step, log, evaluate, save, stop. */
import { stepIndices, stepsPerEpoch } from '../data/order.js'
import type { AdamW } from '../optim/adamw.js'
import { type Schedule, scheduleFactor } from '../optim/schedule.js'
import { memory } from '../tensor/index.js'
import { BestTracker, type Progress } from './best.js'
import { type PlanOptions, planStep, type TrainItem } from './items.js'
import { Tally, type TallyState } from './metrics.js'
import { evaluateStep, type Trainable, trainStep } from './step.js'

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
}

export interface LoopOutcome extends Progress {
  stopped: boolean
  /** The last row of each kind, merged. */
  metrics: Record<string, number>
}

const yieldToLoop = () => new Promise<void>((resolve) => setImmediate(resolve))

export async function trainLoop(
  trainable: Trainable,
  optimizer: AdamW,
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
    const isBest = best.see(step, row)
    report(step, row)
    return isBest
  }
  let step = start.step
  while (step < totalSteps && !hooks.stopRequested() && !best.exhausted()) {
    const { indices } = stepIndices(items.length, batchSize, seed, step)
    const plan = planStep(
      Array.from(indices, (i) => items[i]),
      options,
    )
    const learningRate = options.learningRate * scheduleFactor(options.schedule, step)
    const losses = trainStep(trainable, plan, optimizer, interval.tally, {
      learningRate,
      maxGradNorm: options.maxGradNorm,
    })
    step += 1
    const stepTokens = plan.micro.reduce((sum, b) => sum + b.tokens.length, 0)
    tokens += stepTokens
    interval.tokens += stepTokens
    for (const [name, value] of Object.entries(losses ?? {})) interval.tally.add(name, value)
    if (!losses) skipped += 1
    hooks.progress(step, losses ?? {})
    if (due(step, options.loggingSteps, totalSteps)) {
      report(step, {
        ...interval.tally.means(),
        learning_rate: learningRate,
        num_tokens: tokens,
        ...(skipped > 0 && { skipped_steps: skipped }),
        ...pace(interval),
      })
      interval = newInterval()
    }
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
  started: number
}

const newInterval = (state?: TallyState): Interval => ({
  tally: new Tally(state),
  tokens: 0,
  started: performance.now(),
})

function pace({ tokens, started }: Interval): Record<string, number> {
  const seconds = (performance.now() - started) / 1000
  const { tensors, leaked } = memory()
  return {
    tokens_per_second: tokens / seconds,
    tensors,
    leaked_tensors: leaked,
    memory_mib: process.memoryUsage.rss() / 2 ** 20,
    peak_memory_mib: process.resourceUsage().maxRSS / 1024,
  }
}
