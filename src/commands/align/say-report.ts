/** How an alignment ends on the terminal: a short table, what can be concluded from it, where everything lies. */
import { conclusions, terminalTable } from '../../report/result-summary.js'
import type { AlignReport } from '../../report/types.js'
import { sayHeadlines } from '../../stations/evaluate/eval-report.js'
import type { Ui } from '../../terminal/ui.js'
import type { AlignResult } from './align-result.js'
import type { Aligned, Alignment } from './alignment.js'

export function sayReport(ui: Ui, report: AlignReport): void {
  if (!report.evaluation) return
  ui.table(terminalTable(report))
  sayHeadlines(ui, report)
  for (const line of conclusions(report.evaluation)) ui.line(line)
}

/** @param report path of the page */
export function resultOf(
  { session, curves }: Alignment,
  { clha: model }: Aligned,
  report: string,
): AlignResult {
  const { outcome } = curves[curves.length - 1].run
  const { step: steps, metrics } = outcome
  return { outputDir: session.options.outputDir, model, steps, stopped: false, metrics, report }
}

/** What a command gives back that was stopped before it had a model. */
export const stoppedResult = (outputDir: string): AlignResult => ({
  outputDir,
  model: '',
  steps: 0,
  stopped: true,
  metrics: {},
})
