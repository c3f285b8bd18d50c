/** Where a training begins: at its first step, or at a checkpoint that fits it. */
import { dirname, join, resolve } from 'node:path'
import { checkpointName } from '../../checkpoint/policy/names.js'
import { newestValid, requireValid } from '../../checkpoint/policy/resume.js'
import { readTrainingState, type TrainingState } from '../../checkpoint/policy/state.js'
import { requireSameTrajectory } from '../../checkpoint/policy/trajectory.js'
import { noCheckpointError } from '../../errors.js'
import { DiskStorage } from '../../files/storage.js'
import type { Progress } from './best.js'
import type { TallyState } from './step-metrics.js'
import type { TrainingRun } from './training-run.js'

/** Whether the run goes on in the folder that it came from, rather than beginning another one from its checkpoint. */
export function goesOn({ resume, dir }: TrainingRun): boolean {
  if (typeof resume === 'boolean') return resume
  return [resolve(resume), dirname(resolve(resume))].includes(resolve(dir))
}

export interface Checkpoint {
  folder: string
  state: TrainingState
}

/**
 * Nothing has been changed yet: a refused resume leaves the folder as it was.
 * @throws ClhaError: exit 2 when the checkpoint is of another training, 7 when there is none that is whole
 */
export function chooseCheckpoint({
  resume,
  dir,
  trajectory,
  conditions,
  loop,
  allowInexact,
  hooks,
}: TrainingRun): Checkpoint | undefined {
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
  const accepted = requireSameTrajectory(
    state,
    { seed: loop.seed, trajectory, conditions },
    allowInexact,
    checkpoint,
  )
  for (const { key } of accepted)
    hooks.warn(`${key} differs from the saved run`, 'the numbers may differ in the last digits')
  return { folder: checkpoint, state }
}

/** Where the loop goes on; undefined where it begins. */
export function progressOf(
  from: Checkpoint | undefined,
  { dir, loadBest, hooks }: TrainingRun,
): Progress | undefined {
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
