/** What `clha try-rescoring` says on the terminal. */
import type { NoiseTrial } from '../../rescore/try-noise.js'
import { numeric, text } from '../../show/table.js'
import { count, percent } from '../../show/units.js'
import { mean } from '../../statistics/statistics.js'
import type { Ui } from '../../terminal/ui.js'
import type { NoiseCell } from './noise-cell.js'

/** A row a scorer and level. */
export function sayCells(ui: Ui, cells: readonly NoiseCell[]): void {
  const known = cells[0].secondLabels > 0
  ui.line(
    known ? `with ${count(cells[0].secondLabels)} second labels, as often wrong:` : 'without second labels:',
  )
  const columns = [text('scorer'), ...COLUMNS.map(numeric)]
  ui.table({ columns, rows: cells.map((cell) => [cell.scorer, ...figures(cell)]) })
}

const COLUMNS = [
  'reversed',
  'by labels',
  'by reward',
  'rescored',
  'precision',
  'recall',
  'contrasted',
  'right',
  'believed',
  'miscalibrated',
]

/** Means over the seeds; where a seed has no such figure, over the others. */
function figures({ level, trials }: NoiseCell): string[] {
  const over = (of: (trial: NoiseTrial) => number | null) => {
    const found = trials.map(of).filter((x) => x !== null)
    return found.length > 0 ? percent(mean(found)) : '-'
  }
  return [
    percent(level, 0),
    over(({ labels }) => labels),
    over(({ reward }) => reward),
    over(({ order }) => order),
    over(({ precision }) => precision.share),
    over(({ recall }) => recall.share),
    over(({ contrasted }) => contrasted.share),
    over(({ right }) => right),
    over(({ believed }) => believed),
    over(({ calibrationError }) => calibrationError),
  ]
}
