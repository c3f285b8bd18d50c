/** How a training looks on its progress line. */
import { figure } from '../../show/units.js'
import type { TrainingResult } from '../../train/loop/run.js'

/** Names on the line: ours -> the step's. */
type Shown = Record<string, string>

export function fieldsOf(row: Record<string, number>, shown: Shown = {}): Record<string, string> {
  const names = { loss: 'loss', ...shown }
  return Object.fromEntries(
    Object.entries(names).flatMap(([label, key]) => (key in row ? [[label, figure(row[key])]] : [])),
  )
}

/** First and last logged value of what the progress line showed. */
export function summaryOf({ rows }: TrainingResult, shown: Shown = {}): string {
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

/** What a command gives back of a training. */
export const resultOf = ({ dir, model, outcome }: TrainingResult) => ({
  outputDir: dir,
  model,
  steps: outcome.step,
  stopped: outcome.stopped,
  metrics: outcome.metrics,
})
