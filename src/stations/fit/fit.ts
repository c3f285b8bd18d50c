/** One training within a pipeline: options to a run folder, progress to the user. */
import { join } from 'node:path'
import type { Options, SectionOptions } from '../../config/options.js'
import { usageError } from '../../errors.js'
import { adapterTrajectory, startTrajectory } from '../../load/trainable.js'
import { inBf16 } from '../../models/decoder/decoder.js'
import type { Schedule } from '../../optim/schedule.js'
import type { Needs } from '../../session/needs.js'
import { manifestOf, type Session } from '../../session/session.js'
import { count } from '../../show/units.js'
import { hashItems } from '../../train/loop/items.js'
import { runTraining, type TrainingResult } from '../../train/loop/run.js'
import type { RunHooks } from '../../train/loop/training-run.js'
import { matrixPeak } from '../../train/profile/profile-peak.js'
import { type BegunPlan, beginPlan } from '../rehearse/plan-check.js'
import type { PlanNeeds } from '../rehearse/plan-input.js'
import { requireBestMetric } from './best-metric.js'
import {
  type Fit,
  guidanceOf,
  loopOptions,
  optimizerOptions,
  resumeOf,
  totalStepsOf,
  trajectoryValues,
} from './fit-options.js'
import { writeProfile } from './profile-output.js'
import { fieldsOf, summaryOf } from './say-training.js'
import { type Tracker, trackerOf } from './track.js'

/** The keys of a training, whatever it trains, and what its run folder records. */
export type FitNeeds = Needs<
  SectionOptions<'train' | 'run' | 'method' | 'rescore' | 'profile'>,
  'ui' | 'config' | 'dtype' | 'conditions' | 'versions' | 'hardware' | 'hub' | 'stopRequested'
> &
  Needs<'modelNameOrPath' | 'adapterNameOrPath' | 'modelConfig'> &
  PlanNeeds

/** @throws ClhaError (exit 2) when there is nothing to train on */
export function fitModel(session: FitNeeds, f: Fit): Promise<TrainingResult> {
  const { bf16 } = session.options
  if (bf16 || session.dtype === 'bf16') warnIfSlower(session)
  return inBf16(f.model, bf16, () => fitIn(session, f))
}

/** Without bfloat16 instructions numbers are rounded and then multiplied as f32. */
function warnIfSlower({ ui, options }: FitNeeds): void {
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

/** Warm-up and decay may be given in steps, whatever the length of the training. */
function warnIfNeverAtPeak({ ui }: FitNeeds, kind: string, schedule: Schedule): void {
  const { warmupSteps, numDecaySteps = 0, totalSteps } = schedule
  if (schedule.name === 'constant' || warmupSteps + numDecaySteps <= totalSteps) return
  const decay = numDecaySteps > 0 ? ` and ${count(numDecaySteps)} of decay` : ''
  ui.warn(
    `${kind}: ${count(warmupSteps)} steps of warm-up${decay} in a training of ${count(totalSteps)}: the learning rate never reaches its peak`,
    'give fewer steps to them, or train longer',
  )
}

async function fitIn(session: FitNeeds, f: Fit): Promise<TrainingResult> {
  const { options, ui } = session
  if (f.items.length === 0) throw usageError(`${f.kind}: no example is left to train on`)
  const totalSteps = totalStepsOf(f)
  const bar = ui.progress(totalSteps, f.kind, 'steps')
  const { model, items, devItems, objective, batchSize } = f
  const generates = f.generate !== undefined
  const begun = beginPlan(session, { model, items, objective, batchSize, totalSteps, generates })
  const { largest, recompute } = begun.plan
  const trainable = { model, objective, margin: objective.margin, recompute }
  const loop = loopOptions(options, f)
  requireBestMetric(trainable, devItems, loop)
  warnIfNeverAtPeak(session, f.kind, loop.schedule)
  const resume = resumeOf(options, f)
  const tracker = trackerOf(session, f, resume !== false)
  const result = await runTraining({
    dir: f.dir,
    largest,
    trainable,
    items,
    devItems,
    loop,
    optimizer: optimizerOptions(options, f),
    profile: options.profile,
    manifest: manifestOf(session, f.kind, f.data),
    conditions: session.conditions,
    trajectory: await trajectoryOf(session, f),
    tokenizerDir: f.tokenizerDir,
    saveTotalLimit: f.stage ? 1 : options.saveTotalLimit,
    loadBest: !f.stage && options.loadBestModelAtEnd && devItems.length > 0,
    tensorboard: [options.reportTo].flat().includes('tensorboard'),
    resume,
    allowInexact: options.allowInexact,
    guidance: guidanceOf(options, f),
    async opened() {
      await f.opened?.()
      await tracker.begin()
    },
    hooks: hooksOf(session, f, bar, { ...begun, ...tracker }),
  }).catch(async (error: unknown) => {
    await tracker.end('FAILED')
    throw begun.explain(error)
  })
  await tracker.end(result.outcome.stopped ? 'KILLED' : 'FINISHED')
  bar.update(result.outcome.step)
  bar.done(summaryOf(result, f.shown))
  return result
}

/** Everything that changes the numbers: settings, start model, adapter, data, items. */
async function trajectoryOf(
  { config, options }: Pick<FitNeeds, 'config' | 'options'>,
  f: Fit,
): Promise<Record<string, unknown>> {
  return {
    ...trajectoryValues(config),
    kind: f.kind,
    learning_rate: f.learningRate,
    epochs: f.epochs,
    batch: f.batchSize,
    ...f.trajectory,
    ...(await startTrajectory(options)),
    ...(await adapterTrajectory(f.model)),
    data: f.data.map((d) => d.sha256),
    items: hashItems(f.items),
    dev_items: hashItems(f.devItems),
  }
}

type Bar = ReturnType<Session['ui']['progress']>

function hooksOf(
  { ui, stopRequested }: Pick<FitNeeds, 'ui' | 'stopRequested'>,
  f: Fit,
  bar: Bar,
  { say, log }: Pick<BegunPlan, 'say'> & Pick<Tracker, 'log'>,
): RunHooks {
  return {
    progress: (step, _total, row) => bar.update(step, fieldsOf(row, f.shown)),
    warn: (text, advice) => ui.warn(text, advice),
    resumed(step, total) {
      bar.begin(step)
      const place = `step ${count(step)} of ${count(total)}`
      ui.line(step < total ? `${f.kind}: goes on after ${place}` : `${f.kind}: was done, ${place}`)
    },
    rehearsed: say,
    log(row) {
      ui.metric(row)
      log(row)
    },
    generate: f.generate,
    stopRequested,
    profiled: (profile) => {
      for (const line of writeProfile(f.dir, profile)) ui.line(line)
    },
  }
}

/** Folder of a stage of a larger pipeline. */
export const stageDir = ({ outputDir }: Pick<Options, 'outputDir'>, name: string): string =>
  join(outputDir, name)
