/** A training as a run folder: locked, logged, checkpointed, resumable; the loop does the rest. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { newestValid, requireValid } from '../checkpoint/resume.js'
import { applyRetention } from '../checkpoint/retention.js'
import { saveCheckpoint } from '../checkpoint/save.js'
import { type Conditions, readTrainingState, type TrainingState } from '../checkpoint/state.js'
import { DiskStorage } from '../checkpoint/storage.js'
import { requireSameTrajectory } from '../checkpoint/trajectory.js'
import { ClhaError, noCheckpointError } from '../errors.js'
import { EXIT } from '../exit-codes.js'
import { type AdamWOptions, createAdamW } from '../optim/adamw.js'
import { readMetrics, METRICS_FILE, type MetricRow } from '../runs/metrics.js'
import { openRun, type OpenRunOptions, type Run } from '../runs/open-run.js'
import { openTensorBoard } from '../runs/tensorboard.js'
import { requiresGrad } from '../tensor/index.js'
import type { Progress } from './best.js'
import { checkpointFiles, restoreOptimizer, restoreWeights } from './checkpoint.js'
import type { TrainItem } from './items.js'
import { type LoopOptions, type LoopOutcome, trainLoop } from './loop.js'
import type { Trainable } from './step.js'

export interface TrainingRun {
  dir: string
  trainable: Trainable
  items: readonly TrainItem[]
  devItems: readonly TrainItem[]
  loop: LoopOptions
  adamw: AdamWOptions
  manifest: Omit<OpenRunOptions, 'resume'>
  conditions: Conditions
  /** Every setting that changes the numbers, and the hashes of the data. */
  trajectory: Record<string, unknown>
  tokenizerDir: string
  saveTotalLimit: number
  loadBest: boolean
  tensorboard: boolean
  /** True: from the newest valid checkpoint of `dir`. A path: from that checkpoint or run folder. */
  resume: boolean | string
  allowInexact: boolean
  hooks: RunHooks
}

export interface RunHooks {
  progress(step: number, total: number, fields: Record<string, number>): void
  warn(text: string, advice?: string): void
  log?(row: MetricRow): void
  generate?(step: number): Promise<Record<string, number>>
  stopRequested(): boolean
}

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
  const run = openRun(training.dir, { ...training.manifest, resume: training.resume === true })
  try {
    const result = await trainIn(run, training, from)
    run.setStatus(result.outcome.stopped ? 'stopped' : 'done')
    return result
  } catch (error) {
    const exitCode = error instanceof ClhaError ? error.exitCode : EXIT.bug
    run.setStatus('failed', { exitCode, error: (error as Error).message.split('\n')[0] })
    throw error
  } finally {
    run.close()
  }
}

interface Start {
  checkpoint: string
  state: TrainingState
}

/** Before the lock is taken nothing is changed: a refused resume leaves the folder as it was. */
function chooseCheckpoint({ resume, dir, trajectory, conditions, loop, allowInexact, hooks }: TrainingRun): Start | undefined {
  const storage = new DiskStorage()
  const folder = resume === true ? dir : (resume as string)
  const isCheckpoint = storage.stat(join(folder, 'manifest.json')) !== undefined
  const found = isCheckpoint ? undefined : newestValid(storage, folder)
  if (isCheckpoint) requireValid(storage, folder)
  else if (!found && resume !== true) throw noCheckpointError(`${folder}: no checkpoint there`)
  for (const { path, reason } of found?.rejected ?? []) hooks.warn(`${path} is not usable: ${reason}`, 'an older checkpoint is used')
  const checkpoint = isCheckpoint ? folder : found?.path
  if (checkpoint === undefined) return undefined
  const state = readTrainingState(checkpoint)
  const accepted = requireSameTrajectory(state, { seed: loop.seed, trajectory, conditions }, allowInexact)
  for (const { key } of accepted) hooks.warn(`${key} differs from the saved run`, 'the numbers may differ in the last digits')
  return { checkpoint, state }
}

async function trainIn(run: Run, training: TrainingRun, from: Start | undefined): Promise<TrainingResult> {
  const { trainable, hooks, loop } = training
  for (const weight of trainable.model.weights.values()) requiresGrad(weight)
  const optimizer = createAdamW(trainable.model.weights, training.adamw)
  if (from) {
    restoreWeights(from.checkpoint, trainable.model)
    restoreOptimizer(from.checkpoint, optimizer)
  }
  const startStep = from?.state.step
  const metrics = run.metrics(training.resume === false ? undefined : (startStep ?? 0))
  const board = training.tensorboard ? openTensorBoard(join(run.dir, 'tensorboard'), startStep) : undefined
  let step = startStep ?? 0
  try {
    const outcome = await trainLoop(trainable, optimizer, training.items, training.devItems, loop, {
      log: (row) => {
        metrics.append(row)
        for (const [name, value] of Object.entries(row)) if (name !== 'step') board?.scalar(name, value, row.step)
        hooks.log?.(row)
      },
      progress: (now, fields) => {
        step = now
        hooks.progress(now, loop.totalSteps, fields)
      },
      save: (progress) => {
        metrics.sync()
        save(run, training, optimizer, progress)
      },
      generate: hooks.generate && (() => hooks.generate!(step)),
      stopRequested: hooks.stopRequested,
    }, startOf(from))
    const best = training.loadBest && !outcome.stopped ? outcome.bestStep : undefined
    const model = join(run.dir, `checkpoint-${best ?? outcome.step}`)
    if (best !== undefined && best !== outcome.step) restoreWeights(model, trainable.model)
    return { dir: run.dir, model, outcome, rows: readMetrics(join(run.dir, METRICS_FILE)).rows }
  } finally {
    for (const weight of trainable.model.weights.values()) requiresGrad(weight, false)
    optimizer.dispose()
    board?.close()
    metrics.close()
  }
}

function startOf(from: Start | undefined): Progress | undefined {
  if (!from) return undefined
  const { step, bestMetric, bestStep, lossState } = from.state
  return { step, bestMetric, bestStep, tokens: Number(lossState.tokens ?? 0), sinceBest: Number(lossState.sinceBest ?? 0) }
}

function save(run: Run, training: TrainingRun, optimizer: ReturnType<typeof createAdamW>, progress: Progress): void {
  const { loop, items, trainable, conditions, trajectory } = training
  const storage = new DiskStorage()
  const perEpoch = Math.ceil(items.length / loop.batchSize)
  const { step, bestMetric, bestStep, tokens, sinceBest } = progress
  const rows = readMetrics(join(run.dir, METRICS_FILE)).rows
  const state: TrainingState = {
    step,
    epoch: Math.floor(step / perEpoch),
    cursor: Math.min(items.length, (step % perEpoch) * loop.batchSize),
    seed: loop.seed,
    bestMetric,
    bestStep,
    lossState: { tokens, sinceBest },
    rng: {},
    conditions,
    trajectory,
  }
  const trainerState = {
    epoch: step / perEpoch,
    globalStep: step,
    maxSteps: loop.totalSteps,
    numTrainEpochs: Math.ceil(loop.totalSteps / perEpoch),
    rows,
    bestMetric,
    bestStep,
    bestModelCheckpoint: bestStep === undefined ? undefined : `checkpoint-${bestStep}`,
    loggingSteps: loop.loggingSteps,
    evalSteps: loop.evalSteps,
    saveSteps: loop.saveSteps,
    trainBatchSize: loop.batchSize,
    numInputTokensSeen: tokens,
  }
  const files = checkpointFiles({ model: trainable.model, optimizer, state, trainerState, tokenizerDir: training.tokenizerDir })
  const configSha256 = createHash('sha256').update(JSON.stringify(training.manifest.config)).digest('hex')
  saveCheckpoint(storage, run.dir, step, files, { configSha256 })
  const { failed } = applyRetention(storage, run.dir, { keepLast: training.saveTotalLimit, bestStep })
  for (const { step: old, reason } of failed) training.hooks.warn(`checkpoint-${old} could not be removed: ${reason}`)
}
