/** Options of a training as its loop, its optimizer and its warnings take them. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ResolvedConfig } from '../../config/load-config.js'
import type { Options } from '../../config/options.js'
import { stepsPerEpoch } from '../../data/encode/order.js'
import { camelKeys } from '../../key-names.js'
import type { LanguageModel } from '../../load/language-model.js'
import type { OptimizerOptions } from '../../optim/optimizer.js'
import type { Schedule } from '../../optim/schedule.js'
import type { DataFile } from '../../runs/run-manifest.js'
import { RUN_FILE } from '../../runs/run-manifest.js'
import { trajectoryKeys } from '../../session/trajectory-keys.js'
import type { GuideSettings } from '../../train/guidance/guidance.js'
import type { TrainItem } from '../../train/loop/items.js'
import type { LoopOptions } from '../../train/loop/loop.js'
import type { Objective } from '../../train/objectives/objective.js'

/** The keys of a training's loop. */
export type LoopKeys = Pick<
  Options,
  | 'seed'
  | 'lrSchedulerType'
  | 'lrSchedulerKwargs'
  | 'warmupSteps'
  | 'warmupRatio'
  | 'maxGradNorm'
  | 'loggingSteps'
  | 'evalSteps'
  | 'saveSteps'
  | 'evalGenerationSteps'
  | 'evalOnStart'
  | 'metricForBestModel'
  | 'greaterIsBetter'
  | 'earlyStoppingPatience'
  | 'maxTokensPerBatch'
  | 'perDeviceTrainBatchSize'
>

type Length = Pick<Fit, 'items' | 'batchSize' | 'epochs' | 'maxSteps'>

/** Optimizer steps of a training: at least one. */
export const totalStepsOf = ({ items, batchSize, epochs, maxSteps }: Length): number =>
  maxSteps ?? Math.max(1, Math.round(epochs * stepsPerEpoch(items.length, batchSize)))

/** A stage of a larger pipeline keeps its last checkpoint, and never stops early. */
export function loopOptions(options: LoopKeys, f: Fit): Omit<LoopOptions, 'saveBest'> {
  const totalSteps = totalStepsOf(f)
  return {
    seed: options.seed,
    batchSize: f.batchSize,
    totalSteps,
    learningRate: f.learningRate,
    schedule: scheduleOf(options, totalSteps),
    maxGradNorm: options.maxGradNorm,
    loggingSteps: options.loggingSteps,
    evalSteps: options.evalSteps,
    saveSteps: options.saveSteps,
    evalGenerationSteps: f.generate && options.evalGenerationSteps,
    evalOnStart: options.evalOnStart,
    metricForBestModel: f.stage ? 'eval_loss' : options.metricForBestModel,
    greaterIsBetter: f.stage ? false : options.greaterIsBetter,
    earlyStoppingPatience: f.stage ? undefined : options.earlyStoppingPatience,
    maxTokens: options.maxTokensPerBatch,
    lastToken: f.objective.lastToken,
    legacyGroupSize: f.objective.legacy ? options.perDeviceTrainBatchSize : undefined,
  }
}

function scheduleOf(options: LoopKeys, totalSteps: number): Schedule {
  const { lrSchedulerKwargs, lrSchedulerType: name, warmupSteps, warmupRatio } = options
  const warmup = warmupSteps ?? Math.ceil(warmupRatio * totalSteps)
  return { ...camelKeys(lrSchedulerKwargs ?? {}), name, warmupSteps: warmup, totalSteps }
}

/** The keys of the optimizer. */
export type OptimizerKeys = Pick<
  Options,
  'optim' | 'weightDecay' | 'rmspropAlpha' | 'sgdMomentum' | 'adamBeta1' | 'adamBeta2' | 'adamEpsilon'
>

export function optimizerOptions(options: OptimizerKeys, f: Pick<Fit, 'objective'>): OptimizerOptions {
  const { optim, weightDecay, adamEpsilon: epsilon } = options
  if (optim === 'rmsprop') return { name: optim, alpha: options.rmspropAlpha, epsilon }
  if (optim === 'sgd') return { name: optim, momentum: options.sgdMomentum, weightDecay }
  return {
    name: optim,
    beta1: options.adamBeta1,
    beta2: options.adamBeta2,
    epsilon,
    weightDecay,
    decayOn: f.objective.legacy ? 'all' : 'matrices',
  }
}

/** When a pipeline goes on, a stage (or fold) that was begun goes on, and one that was not starts. */
export function resumeOf(
  { outputDir, resumeFromCheckpoint }: Pick<Options, 'outputDir' | 'resumeFromCheckpoint'>,
  { stage, dir }: Fit,
): boolean | string {
  if (!stage && dir === outputDir) return resumeFromCheckpoint
  return resumeFromCheckpoint !== false && existsSync(join(dir, RUN_FILE))
}

type GuidanceKeys = Pick<
  Options,
  'guidance' | 'margin' | 'minConfidence' | 'maxNewTokens' | 'sftGate' | 'sftWeight'
>

/** What warnings say of the settings; reward models have none of these troubles. */
export function guidanceOf(
  options: GuidanceKeys,
  { objective, learningRate }: Pick<Fit, 'objective' | 'learningRate'>,
): GuideSettings | undefined {
  if (!options.guidance || objective.lastToken) return undefined
  const { margin, minConfidence, maxNewTokens, sftGate, sftWeight } = options
  const gated = !objective.ungated && sftGate !== 'off'
  return { learningRate, margin, minConfidence, maxNewTokens, sftWeight, gated }
}

/** The settings that change the numbers of a training, as run folders keep them. */
export const trajectoryValues = ({ values }: Pick<ResolvedConfig, 'values'>): Record<string, unknown> =>
  Object.fromEntries(trajectoryKeys(values).map((key) => [key, values[key] ?? null]))

export interface Fit {
  /** Shown beside the progress, and kept in run.json. */
  kind: string
  dir: string
  model: LanguageModel['model']
  tokenizerDir: string
  objective: Objective
  items: readonly TrainItem[]
  devItems: readonly TrainItem[]
  learningRate: number
  epochs: number
  /** Lists of one optimizer step. */
  batchSize: number
  data: DataFile[]
  /** What else changes the numbers: hashes of the ranked lists, of the start model. */
  trajectory?: Record<string, unknown>
  /** Metrics of generated answers during training. */
  generate?(step: number): Promise<Record<string, number>>
  /** Shown on the progress line: our name -> the step's. */
  shown?: Record<string, string>
  /** A stage of a larger pipeline keeps the last checkpoint. */
  stage?: boolean
  /** Optimizer steps in all, instead of `epochs`. */
  maxSteps?: number
  /** Called when the folder is ours, before the first step. */
  opened?(): Promise<void>
}
