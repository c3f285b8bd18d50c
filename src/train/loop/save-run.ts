/** Saves a checkpoint of a run, and removes those that are no longer kept. */

import { join } from 'node:path'
import { listCheckpoints } from '../../checkpoint/policy/names.js'
import { applyRetention } from '../../checkpoint/policy/retention.js'
import { saveCheckpoint } from '../../checkpoint/policy/save.js'
import type { TrainingState } from '../../checkpoint/policy/state.js'
import { stepsPerEpoch } from '../../data/encode/order.js'
import { sha256 } from '../../files/digest.js'
import { DiskStorage } from '../../files/storage.js'
import { trainableWeights } from '../../models/adapters/adapter.js'
import type { Optimizer } from '../../optim/optimizer.js'
import { METRICS_FILE, readMetrics } from '../../runs/metrics.js'
import type { Run } from '../../runs/open-run.js'
import type { TrainerState } from '../../runs/trainer-state.js'
import type { Progress } from './best.js'
import { requireFinite } from './step.js'
import { checkpointFiles } from './training-checkpoint.js'
import type { TrainingRun } from './training-run.js'

/**
 * @throws ClhaError: exit 4 for a disk that is full, 5 when a weight is not finite; the last checkpoint is untouched then
 */
export function saveRun(run: Run, training: TrainingRun, optimizer: Optimizer, progress: Progress): void {
  const storage = new DiskStorage()
  const { model } = training.trainable
  const { step, bestStep } = progress
  requireFinite(trainableWeights(model), 'nothing was saved; the last checkpoint is untouched')
  const files = checkpointFiles({
    model,
    optimizer,
    state: stateOf(training, progress),
    trainerState: trainerStateOf(run, training, progress),
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

/** What a resume needs. */
function stateOf(
  { loop, trainable, conditions, trajectory }: TrainingRun,
  progress: Progress,
): TrainingState {
  const { step, bestMetric, bestStep, tokens, sinceBest, skipped, tally } = progress
  return {
    step,
    seed: loop.seed,
    bestMetric,
    bestStep,
    lossState: { tokens, sinceBest, skipped, tally, objective: trainable.objective.state?.() },
    conditions,
    trajectory,
  }
}

/** The same for tools that read the state of Hugging Face's Trainer. */
function trainerStateOf(run: Run, { loop, items }: TrainingRun, progress: Progress): TrainerState {
  const { step, bestMetric, bestStep, tokens } = progress
  const perEpoch = stepsPerEpoch(items.length, loop.batchSize)
  return {
    epoch: step / perEpoch,
    globalStep: step,
    maxSteps: loop.totalSteps,
    numTrainEpochs: Math.ceil(loop.totalSteps / perEpoch),
    rows: readMetrics(join(run.dir, METRICS_FILE)).rows,
    bestMetric,
    bestStep,
    bestModelCheckpoint: bestStep === undefined ? undefined : `checkpoint-${bestStep}`,
    loggingSteps: loop.loggingSteps,
    evalSteps: loop.evalSteps,
    saveSteps: loop.saveSteps,
    trainBatchSize: loop.batchSize,
    numInputTokensSeen: tokens,
  }
}
