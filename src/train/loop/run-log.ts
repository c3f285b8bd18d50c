/** The log of a run: metrics.jsonl, TensorBoard, and the warnings that a row raises. */
import { join } from 'node:path'
import { METRICS_FILE, type MetricRow, readMetrics, warningsOf } from '../../runs/metrics.js'
import type { Run } from '../../runs/open-run.js'
import { openTensorBoard, type TensorBoardWriter } from '../../runs/tensorboard.js'
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
      if (board) toBoard(board, told)
      training.hooks.log?.(told)
    },
    sync: () => metrics.sync(),
    close: () => {
      board?.close()
      metrics.close()
    },
  }
}

/** Tags as Hugging Face's trainers write them: `train/loss`, `eval/loss`. */
function toBoard(board: TensorBoardWriter, { step, ...row }: MetricRow): void {
  for (const [name, value] of Object.entries(row)) {
    const tag = name.startsWith('eval_') ? `eval/${name.slice('eval_'.length)}` : `train/${name}`
    if (typeof value === 'number') board.scalar(tag, value, step)
  }
  for (const { text, advice } of warningsOf({ step, ...row }))
    board.text('train/warnings', `${text}; ${advice}`, step)
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
