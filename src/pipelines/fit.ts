/** One training within a pipeline: options to a run folder, progress to the user. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { camelKeys } from '../config/options.js'
import { stepsPerEpoch } from '../data/order.js'
import { usageError } from '../errors.js'
import { inBf16 } from '../models/decoder.js'
import type { OptimizerOptions } from '../optim/optimizer.js'
import { type DataFile, RUN_FILE } from '../runs/run-manifest.js'
import { figure } from '../terminal/units.js'
import type { GuideSettings } from '../train/guidance.js'
import { hashItems, type TrainItem } from '../train/items.js'
import type { Objective } from '../train/objective.js'
import { matrixPeak } from '../train/profile-peak.js'
import { runTraining, type TrainingResult } from '../train/run.js'
import { adapterTrajectory } from './adapters.js'
import type { LanguageModel } from './language-model.js'
import { beginPlan } from './plan-check.js'
import { writeProfile } from './profile-output.js'
import { manifestOf, type Session } from './session.js'
import { TRAJECTORY_KEYS } from './trajectory-keys.js'

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

/** @throws ClhaError (exit 2) when there is nothing to train on */
export function fitModel(session: Session, f: Fit): Promise<TrainingResult> {
  const { bf16 } = session.options
  if (bf16 || session.dtype === 'bf16') warnIfSlower(session)
  return inBf16(f.model, bf16, () => fitIn(session, f))
}

/** Without bfloat16 instructions numbers are rounded and then multiplied as f32. */
function warnIfSlower({ ui, options }: Session): void {
  const [bf16, f32] = [matrixPeak('f32', 'bf16'), matrixPeak('f32')]
  const rate = (flops: number) => `${Math.round(flops / 1e9)} GFLOP/s`
  if (bf16 < f32)
    ui.warn(
      `${options.bf16 ? 'bf16' : 'dtype: bfloat16'}: slower than float32 on this processor: products reach ${rate(bf16)}, float32 ${rate(f32)}`,
      options.bf16
        ? 'set bf16: false, unless it is for the memory of activations'
        : 'set dtype: float32, unless it is for the memory of weights',
    )
}

async function fitIn(session: Session, f: Fit): Promise<TrainingResult> {
  const { options, ui } = session
  if (f.items.length === 0) throw usageError(`${f.kind}: no example is left to train on`)
  const perEpoch = stepsPerEpoch(f.items.length, f.batchSize)
  const totalSteps = f.maxSteps ?? Math.max(1, Math.round(f.epochs * perEpoch))
  const warmupSteps = options.warmupSteps ?? Math.ceil(options.warmupRatio * totalSteps)
  const bar = ui.progress(totalSteps, f.kind, 'steps')
  const legacy = options.mode === 'legacy' && f.objective.name === 'clha'
  const resume = resumeOf(session, f)
  const loadBest = !f.stage && options.loadBestModelAtEnd && f.devItems.length > 0
  const { plan, say, explain } = beginPlan(session, {
    model: f.model,
    items: f.items,
    objective: f.objective,
    batchSize: f.batchSize,
    totalSteps,
    generates: f.generate !== undefined,
  })
  const result = await runTraining({
    dir: f.dir,
    largest: plan.largest,
    trainable: {
      model: f.model,
      objective: f.objective,
      margin: f.objective.name === 'clha' ? marginOf(session) : undefined,
      recompute: plan.recompute,
    },
    items: f.items,
    devItems: f.devItems,
    loop: {
      seed: options.seed,
      batchSize: f.batchSize,
      totalSteps,
      learningRate: f.learningRate,
      schedule: {
        ...camelKeys(options.lrSchedulerKwargs ?? {}),
        name: options.lrSchedulerType,
        warmupSteps,
        totalSteps,
      },
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
      legacyGroupSize: legacy ? options.perDeviceTrainBatchSize : undefined,
      profile: options.profile,
    },
    optimizer: optimizerOf(session, legacy),
    manifest: manifestOf(session, f.kind, f.data),
    conditions: session.conditions,
    trajectory: {
      ...pick(session),
      kind: f.kind,
      learning_rate: f.learningRate,
      epochs: f.epochs,
      batch: f.batchSize,
      ...f.trajectory,
      ...(await adapterTrajectory(f.model)),
      data: f.data.map((d) => d.sha256),
      items: hashItems(f.items),
      dev_items: hashItems(f.devItems),
    },
    tokenizerDir: f.tokenizerDir,
    saveTotalLimit: f.stage ? 1 : options.saveTotalLimit,
    loadBest,
    tensorboard: [options.reportTo].flat().includes('tensorboard'),
    resume,
    allowInexact: options.allowInexact,
    guidance: guidanceOf(session, f),
    opened: f.opened,
    hooks: {
      progress: (step, _total, row) => bar.update(step, fieldsOf(row, f.shown)),
      warn: (text, advice) => ui.warn(text, advice),
      rehearsed: say,
      log: (row) => ui.metric(row),
      generate: f.generate,
      stopRequested: session.stopRequested,
      profiled: (profile) => {
        for (const line of writeProfile(f.dir, profile)) ui.line(line)
      },
    },
  }).catch((error: unknown) => {
    throw explain(error)
  })
  bar.update(result.outcome.step)
  bar.done(summaryOf(result, f.shown))
  return result
}

/** When a pipeline goes on, a stage (or fold) that was begun goes on, and one that was not starts. */
function resumeOf({ options }: Session, { stage, dir }: Fit): boolean | string {
  if (!stage && dir === options.outputDir) return options.resumeFromCheckpoint
  return options.resumeFromCheckpoint !== false && existsSync(join(dir, RUN_FILE))
}

/** What warnings say of the settings; reward models have none of these troubles. */
function guidanceOf({ options }: Session, { objective, learningRate }: Fit): GuideSettings | undefined {
  if (!options.guidance || objective.lastToken) return undefined
  const { margin, minConfidence, maxNewTokens, sftGate } = options
  const gated = objective.name !== 'sft' && sftGate !== 'off'
  return { learningRate, margin, minConfidence, maxNewTokens, sftWeight: options.sftWeight, gated }
}

const marginOf =
  ({ options }: Session) =>
  (distance: number) =>
    options.marginScale === 'rank' ? options.margin * distance : options.margin

function pick({ config }: Session): Record<string, unknown> {
  return Object.fromEntries(TRAJECTORY_KEYS.map((key) => [key, config.values[key] ?? null]))
}

function fieldsOf(row: Record<string, number>, shown: Record<string, string> = {}): Record<string, string> {
  const names = { loss: 'loss', ...shown }
  return Object.fromEntries(
    Object.entries(names).flatMap(([label, key]) => (key in row ? [[label, figure(row[key])]] : [])),
  )
}

/** First and last logged value of what the progress line showed. */
function summaryOf({ rows }: TrainingResult, shown: Record<string, string> = {}): string {
  const parts: string[] = []
  for (const [label, key] of Object.entries({ loss: 'loss', ...shown })) {
    const values = rows.map((row) => row[key]).filter((v): v is number => typeof v === 'number')
    const [first, last] = [values[0], values[values.length - 1]]
    if (values.length > 0)
      parts.push(
        values.length > 1 ? `${label} ${figure(first)} → ${figure(last)}` : `${label} ${figure(last)}`,
      )
  }
  return parts.join(' · ')
}

export const stageDir = (session: Session, name: string): string => join(session.options.outputDir, name)

function optimizerOf({ options }: Session, legacy: boolean): OptimizerOptions {
  const { optim, weightDecay, adamEpsilon: epsilon } = options
  if (optim === 'rmsprop') return { name: optim, alpha: options.rmspropAlpha, epsilon }
  if (optim === 'sgd') return { name: optim, momentum: options.sgdMomentum, weightDecay }
  return {
    name: optim,
    beta1: options.adamBeta1,
    beta2: options.adamBeta2,
    epsilon,
    weightDecay,
    decayOn: legacy ? 'all' : 'matrices',
  }
}
