/** The log of a run: metrics.jsonl, TensorBoard, and the warnings that a row raises. */
import { join } from 'node:path'
import { METRICS_FILE, type MetricRow, readMetrics } from '../../runs/metrics.js'
import type { Run } from '../../runs/open-run.js'
import { openTensorBoard } from '../../runs/tensorboard.js'
import { createGuide } from '../guidance/guidance.js'
import type { TrainingRun } from './training-run.js'

export interface RunLog {
  write(row: MetricRow): void
  /** What was written is on the disk. */
  sync(): void
  close(): void
}

/** @param startStep of a run that goes on: what was logged after it goes; undefined: the run begins */
export function openRunLog(run: Run, training: TrainingRun, startStep: number | undefined): RunLog {
  // Without a checkpoint nothing of an earlier attempt stays, an evaluation before its first step included.
  const metrics = run.metrics(startStep === 0 ? -1 : startStep)
  const warn = warner(run, training)
  const board = training.tensorboard ? openTensorBoard(join(run.dir, 'tensorboard'), startStep) : undefined
  return {
    write: (row) => {
      const told = warn(row)
      metrics.append(told)
      for (const [name, value] of Object.entries(row))
        if (name !== 'step') board?.scalar(name, value as number, row.step)
      training.hooks.log?.(told)
    },
    sync: () => metrics.sync(),
    close: () => {
      board?.close()
      metrics.close()
    },
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
