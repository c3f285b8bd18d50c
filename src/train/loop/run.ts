/** A training as a run folder: locked, logged, checkpointed, resumable; the loop does the rest. */
import { join } from 'node:path'
import { checkpointName } from '../../checkpoint/policy/names.js'
import { knownError } from '../../errors.js'
import { EXIT } from '../../exit-codes.js'
import { trainableWeights } from '../../models/adapters/adapter.js'
import { createOptimizer, type Optimizer } from '../../optim/optimizer.js'
import { METRICS_FILE, type MetricRow, readMetrics } from '../../runs/metrics.js'
import { openRun, type Run } from '../../runs/open-run.js'
import { requiresGrad } from '../../tensor/index.js'
import { createProfiler, stopProfiling } from '../profile/profile.js'
import { modelPeak } from './interval.js'
import { type LoopHooks, type LoopOutcome, trainLoop } from './loop.js'
import { rehearse } from './rehearsal.js'
import { type Checkpoint, chooseCheckpoint, goesOn, progressOf } from './resume-from.js'
import { openRunLog, type RunLog } from './run-log.js'
import { saveRun } from './save-run.js'
import { restoreOptimizer, restoreWeights } from './training-checkpoint.js'
import type { TrainingRun } from './training-run.js'

export interface TrainingResult {
  dir: string
  /** Folder of the model that came out: the best or the last checkpoint. `trainable.model` holds the same weights. */
  model: string
  outcome: LoopOutcome
  /** All rows of metrics.jsonl. */
  rows: MetricRow[]
}

/** @throws ClhaError by exit code: 2 settings or data, 3 folder in use, 4 disk or memory, 5 numerics, 7 nothing to resume */
export async function runTraining(training: TrainingRun): Promise<TrainingResult> {
  const from = training.resume === false ? undefined : chooseCheckpoint(training)
  const run = openRun(training.dir, { ...training.manifest, resume: goesOn(training) })
  try {
    await training.opened?.()
    const result = await trainFrom(run, training, from)
    run.setStatus(result.outcome.stopped ? 'stopped' : 'done')
    return result
  } catch (error) {
    noteFailure(run, error)
    throw error
  } finally {
    run.close()
  }
}

function noteFailure(run: Run, error: unknown): void {
  const exitCode = knownError(error)?.exitCode ?? EXIT.bug
  const message = error instanceof Error ? error.message : String(error)
  try {
    run.setStatus('failed', { exitCode, error: message.split('\n')[0] })
  } catch {
    // A disk too full for a checkpoint may be too full for this; the error that led here matters more.
  }
}

async function trainFrom(
  run: Run,
  training: TrainingRun,
  from: Checkpoint | undefined,
): Promise<TrainingResult> {
  const { trainable, loop } = training
  // With an adapter, the base model's weights take no part: no gradient, no moments, nothing saved.
  const trained = trainableWeights(trainable.model)
  for (const weight of trained.values()) requiresGrad(weight)
  const optimizer = createOptimizer(trained, training.optimizer)
  if (from) restoreTraining(from, training, optimizer)
  if (from) training.hooks.resumed?.(from.state.step, loop.totalSteps)
  // Going on without a checkpoint begins at step 0, and what an earlier attempt logged goes.
  const startStep = training.resume === false ? undefined : (from?.state.step ?? 0)
  const log = openRunLog(run, training, startStep)
  try {
    rehearseLargest(training, startStep ?? 0)
    const outcome = await trainLoop({
      trainable,
      optimizer,
      items: training.items,
      devItems: training.devItems,
      options: { ...loop, saveBest: training.loadBest },
      hooks: loopHooks(run, training, optimizer, log, startStep ?? 0),
      start: progressOf(from, training),
    })
    const model = chooseModel(run, training, outcome)
    return { dir: run.dir, model, outcome, rows: readMetrics(join(run.dir, METRICS_FILE)).rows }
  } finally {
    stopProfiling()
    optimizer.clearGradients()
    for (const weight of trained.values()) requiresGrad(weight, false)
    optimizer.dispose()
    log.close()
  }
}

function restoreTraining({ folder, state }: Checkpoint, { trainable }: TrainingRun, optimizer: Optimizer) {
  restoreWeights(folder, trainable.model)
  restoreOptimizer(folder, optimizer)
  trainable.objective.restore?.(state.lossState.objective as Record<string, number>)
}

function rehearseLargest({ trainable, items, loop, largest, hooks }: TrainingRun, step: number): void {
  if (largest && step < loop.totalSteps) hooks.rehearsed?.(rehearse(trainable, items, loop, largest))
}

/** What the loop tells, as the run's log, checkpoints and profile. */
function loopHooks(
  run: Run,
  training: TrainingRun,
  optimizer: Optimizer,
  log: RunLog,
  startStep: number,
): LoopHooks {
  const { trainable, loop, hooks } = training
  const { generate } = hooks
  const profiler = training.profile
    ? createProfiler(loop.totalSteps - startStep, modelPeak(trainable.model))
    : undefined
  let step = startStep
  return {
    log: log.write,
    progress: (now, fields) => {
      step = now
      hooks.progress(now, loop.totalSteps, fields)
    },
    save: (progress) => {
      log.sync()
      saveRun(run, training, optimizer, progress)
    },
    generate: generate && (() => generate(step)),
    stopRequested: hooks.stopRequested,
    stepBegins: profiler?.begin,
    stepEnds: (work) => {
      const profile = profiler?.end(work)
      if (profile) hooks.profiled?.(profile)
    },
  }
}

/** The best checkpoint where it is asked for, and its weights in the model; the last one otherwise. @returns its folder */
function chooseModel({ dir }: Run, { loadBest, trainable }: TrainingRun, outcome: LoopOutcome): string {
  const best = loadBest && !outcome.stopped ? outcome.bestStep : undefined
  const model = join(dir, checkpointName(best ?? outcome.step))
  if (best !== undefined && best !== outcome.step) restoreWeights(model, trainable.model)
  return model
}
