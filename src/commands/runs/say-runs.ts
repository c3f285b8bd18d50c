/** What `clha runs` says: a row a run; for a comparison, a column a run. */
import type { RunSummary } from '../../runs/find-runs.js'
import { numeric, text } from '../../show/table.js'
import { amount, count, figure, MISSING } from '../../show/units.js'
import type { Ui } from '../../terminal/ui.js'
import type { Difference } from './differences.js'

const HEADINGS = {
  setting: 'settings that differ',
  data: 'data that differ (SHA-256)',
  version: 'versions that differ',
  metric: 'last figures',
} as const

export function sayRuns(ui: Ui, runs: readonly RunSummary[]): void {
  ui.table({
    columns: [
      ...['run', 'what', 'status', 'started'].map(text),
      ...['step', 'loss', 'eval loss'].map(numeric),
    ],
    rows: runs.map(({ dir, manifest, step, metrics }) => [
      dir,
      manifest.kind,
      manifest.status,
      minuteOf(manifest.started),
      count(step),
      written(metrics.loss),
      written(metrics.eval_loss),
    ]),
  })
  ui.line(`${amount(runs.length, 'run')}; in what two differ: clha runs --compare RUN RUN`)
}

export function sayComparison(ui: Ui, runs: readonly RunSummary[], found: readonly Difference[]): void {
  runs.forEach(({ dir, manifest, step }, i) => {
    ui.line(
      `${letter(i)}  ${dir}  ${manifest.status}, ${amount(step, 'step')}, ${minuteOf(manifest.started)}`,
    )
  })
  for (const [what, heading] of Object.entries(HEADINGS)) {
    const rows = found.filter((difference) => difference.what === what)
    if (rows.length === 0) continue
    ui.station(heading)
    ui.table({
      columns: [text(''), ...runs.map((_, i) => numeric(letter(i)))],
      rows: rows.map(({ name, values }) => [name, ...values.map(written)]),
    })
  }
  if (found.length === 0) ui.line('no setting, no file and no figure differs')
}

const written = (value: string | number | undefined): string =>
  value === undefined ? MISSING : typeof value === 'number' ? figure(value) : value

/** A, B … Z, then numbers. */
const letter = (i: number): string => (i < 26 ? String.fromCharCode(65 + i) : String(i + 1))

/** `2026-11-30 01:35` */
const minuteOf = (iso: string): string => iso.slice(0, 16).replace('T', ' ')
