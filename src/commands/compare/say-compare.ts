/** What `clha compare` says on the terminal. */

import { terminalTable } from '../../report/result-summary.js'
import type { EvalReport } from '../../report/types.js'
import { againstTable } from '../../report/verdicts/verdict-tables.js'
import { count } from '../../show/units.js'
import { sayHeadlines } from '../../stations/evaluate/eval-report.js'
import type { Ui } from '../../terminal/ui.js'

export function sayComparison(ui: Ui, report: EvalReport): void {
  for (const { name, made, kind } of report.comparison?.systems ?? [])
    if (kind === 'model' && made > 0) ui.line(`${name}: ${count(made)} answers made`)
  ui.table(terminalTable(report))
  for (const { who, figures } of report.comparison?.verdicts ?? []) ui.table(againstTable(figures, who))
  if (!sayHeadlines(ui, report))
    ui.warn(
      'no rewards or verdicts: only text statistics are shown',
      'name a reward model with --eval-reward-model, or let people vote: clha vote',
    )
}
