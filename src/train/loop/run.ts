/** A training as a run folder: locked, logged, checkpointed, resumable; the loop does the rest. */

import { dirname, join, resolve } from 'node:path'
import { checkpointName, listCheckpoints } from '../../checkpoint/policy/names.js'
import { newestValid, requireValid } from '../../checkpoint/policy/resume.js'
import { applyRetention } from '../../checkpoint/policy/retention.js'
import { saveCheckpoint } from '../../checkpoint/policy/save.js'
import { type Conditions, readTrainingState, type TrainingState } from '../../checkpoint/policy/state.js'
import { requireSameTrajectory } from '../../checkpoint/policy/trajectory.js'
import { knownError, noCheckpointError } from '../../errors.js'
import { EXIT } from '../../exit-codes.js'
import { sha256 } from '../../files/digest.js'
import { DiskStorage } from '../../files/storage.js'
import { trainableWeights } from '../../models/adapters/adapter.js'
import { createOptimizer, type Optimizer, type OptimizerOptions } from '../../optim/optimizer.js'
import { METRICS_FILE, type MetricRow, readMetrics } from '../../runs/metrics.js'
import { type OpenRunOptions, openRun, type Run } from '../../runs/open-run.js'
import { openTensorBoard } from '../../runs/tensorboard.js'
import { requiresGrad } from '../../tensor/index.js'
import { createGuide, type GuideSettings } from '../guidance/guidance.js'
import { type Profile, stopProfiling } from '../profile/profile.js'
import type { Progress } from './best.js'
import type { TrainItem } from './items.js'
import { type LoopOptions, type LoopOutcome, trainLoop } from './loop.js'
import { type BatchPlace, rehearse } from './rehearsal.js'
import { requireFinite, type Trainable } from './step.js'
import type { TallyState } from './step-metrics.js'
import { checkpointFiles, restoreOptimizer, restoreWeights } from './training-checkpoint.js'

export interface TrainingRun {
  dir: string
  trainable: Trainable
  items: readonly TrainItem[]
  devItems: readonly TrainItem[]
  loop: Omit<LoopOptions, 'saveBest'>
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
  /** Before the first step: the largest micro-batch went through. */
  rehearsed?(seconds: number): void
  log?(row: MetricRow): void
  generate?(step: number): Promise<Record<string, number>>
  stopRequested(): boolean
  profiled?(profile: Profile): void
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
  const run = openRun(training.dir, { ...training.manifest, resume: goesOn(training) })
  try {
    await training.opened?.()
    const result = await trainIn(run, training, from)
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

/** Whether the run goes on in the folder that it came from, rather than beginning another one from its checkpoint. */
function goesOn({ resume, dir }: TrainingRun): boolean {
  if (typeof resume === 'boolean') return resume
  return [resolve(resume), dirname(resolve(resume))].includes(resolve(dir))
}

interface Start {
  checkpoint: string
  state: TrainingState
}

/** Nothing has been changed yet: a refused resume leaves the folder as it was. */
function chooseCheckpoint({
  resume,
  dir,
  trajectory,
  conditions,
  loop,
  allowInexact,
  hooks,
}: TrainingRun): Start | undefined {
  const storage = new DiskStorage()
  const folder = resume === true ? dir : (resume as string)
  const isCheckpoint = storage.stat(join(folder, 'manifest.json')) !== undefined
  const found = isCheckpoint ? undefined : newestValid(storage, folder)
  if (isCheckpoint) requireValid(storage, folder)
  else if (!found && resume !== true) throw noCheckpointError(`${folder}: no checkpoint there`)
  for (const { path, reason } of found?.rejected ?? [])
    hooks.warn(`${path} is not usable: ${reason}`, 'an older checkpoint is used')
  const checkpoint = isCheckpoint ? folder : found?.path
  if (checkpoint === undefined) return undefined
  const state = readTrainingState(checkpoint)
  const accepted = requireSameTrajectory(state, { seed: loop.seed, trajectory, conditions }, allowInexact)
  for (const { key } of accepted)
    hooks.warn(`${key} differs from the saved run`, 'the numbers may differ in the last digits')
  return { checkpoint, state }
}

async function trainIn(run: Run, training: TrainingRun, from: Start | undefined): Promise<TrainingResult> {
  const { trainable, hooks, loop } = training
  // With an adapter, the base model's weights take no part: no gradient, no moments, nothing saved.
  const trained = trainableWeights(trainable.model)
  for (const weight of trained.values()) requiresGrad(weight)
  const optimizer = createOptimizer(trained, training.optimizer)
  if (from) {
    restoreWeights(from.checkpoint, trainable.model)
    restoreOptimizer(from.checkpoint, optimizer)
    trainable.objective.restore?.(from.state.lossState.objective as Record<string, number>)
  }
  // Going on without a checkpoint begins at step 0, and what an earlier attempt logged goes.
  const startStep = training.resume === false ? undefined : (from?.state.step ?? 0)
  // Without a checkpoint nothing of an earlier attempt stays, an evaluation before its first step included.
  const metrics = run.metrics(startStep === 0 ? -1 : startStep)
  const warn = warner(run, training)
  const board = training.tensorboard ? openTensorBoard(join(run.dir, 'tensorboard'), startStep) : undefined
  let step = startStep ?? 0
  try {
    if (training.largest && step < loop.totalSteps)
      hooks.rehearsed?.(rehearse(trainable, training.items, loop, training.largest))
    const outcome = await trainLoop(
      trainable,
      optimizer,
      training.items,
      training.devItems,
      { ...loop, saveBest: training.loadBest },
      {
        log: (row) => {
          const told = warn(row)
          metrics.append(told)
          for (const [name, value] of Object.entries(row))
            if (name !== 'step') board?.scalar(name, value, row.step)
          hooks.log?.(told)
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
        profiled: hooks.profiled,
      },
      startOf(from, training),
    )
    const best = training.loadBest && !outcome.stopped ? outcome.bestStep : undefined
    const model = join(run.dir, `checkpoint-${best ?? outcome.step}`)
    if (best !== undefined && best !== outcome.step) restoreWeights(model, trainable.model)
    return { dir: run.dir, model, outcome, rows: readMetrics(join(run.dir, METRICS_FILE)).rows }
  } finally {
    stopProfiling()
    optimizer.clearGradients()
    for (const weight of trained.values()) requiresGrad(weight, false)
    optimizer.dispose()
    board?.close()
    metrics.close()
  }
}

/** Adds the warnings that a row raises to it, and says them. What the rows before a resume raised is not said again. */
function warner(run: Run, { guidance, hooks }: TrainingRun): (row: MetricRow) => MetricRow {
  if (guidance === undefined) return (row) => row
  const guide = createGuide(guidance)
  for (const row of readMetrics(join(run.dir, METRICS_FILE)).rows) guide.see(row)
  return (row) => {
    const warnings = guide.see(row)
    for (const { text, advice } of warnings) hooks.warn(`step ${row.step}: ${text}`, advice)
    return warnings.length > 0 ? { ...row, warnings } : row
  }
}

function startOf(from: Start | undefined, { dir, loadBest, hooks }: TrainingRun): Progress | undefined {
  if (!from) return undefined
  const { step, bestMetric, bestStep, lossState } = from.state
  const start = {
    step,
    tokens: Number(lossState.tokens ?? 0),
    skipped: Number(lossState.skipped ?? 0),
    tally: (lossState.tally ?? {}) as TallyState,
  }
  if (bestStep === undefined) return start
  const best = { bestMetric, bestStep, sinceBest: Number(lossState.sinceBest ?? 0) }
  if (!loadBest || new DiskStorage().stat(join(dir, checkpointName(bestStep))) !== undefined)
    return { ...start, ...best }
  hooks.warn(
    `the best checkpoint so far, of step ${bestStep}, is not in ${dir}`,
    'the best is chosen among those to come',
  )
  return start
}

function save(run: Run, training: TrainingRun, optimizer: Optimizer, progress: Progress): void {
  const { loop, items, trainable, conditions, trajectory } = training
  const storage = new DiskStorage()
  const perEpoch = Math.ceil(items.length / loop.batchSize)
  const { step, bestMetric, bestStep, tokens, sinceBest, skipped, tally } = progress
  requireFinite(trainableWeights(trainable.model), 'nothing was saved; the last checkpoint is untouched')
  const rows = readMetrics(join(run.dir, METRICS_FILE)).rows
  const state: TrainingState = {
    step,
    epoch: Math.floor(step / perEpoch),
    cursor: Math.min(items.length, (step % perEpoch) * loop.batchSize),
    seed: loop.seed,
    bestMetric,
    bestStep,
    lossState: { tokens, sinceBest, skipped, tally, objective: trainable.objective.state?.() },
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
  const files = checkpointFiles({
    model: trainable.model,
    optimizer,
    state,
    trainerState,
    tokenizerDir: training.tokenizerDir,
  })
  const configSha256 = sha256(JSON.stringify(training.manifest.config))
  saveCheckpoint(storage, run.dir, step, files, { configSha256 })
  // A run that went back finds checkpoints of later steps: they must not push out the one just saved.
  const later = listCheckpoints(storage, run.dir).filter((place) => place.step > step).length
  const { failed } = applyRetention(storage, run.dir, { keepLast: training.saveTotalLimit + later, bestStep })
  for (const { step: old, reason } of failed)
    training.hooks.warn(`checkpoint-${old} could not be removed: ${reason}`)
}
