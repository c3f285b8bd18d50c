/** What `clha judge` says: the estimate before, and what the judge said. */
import type { Options } from '../../config/options.js'
import type { Estimate } from '../../judges/estimate.js'
import { numeric, text } from '../../show/table.js'
import { amount, count, figure, percent } from '../../show/units.js'
import type { Ui } from '../../terminal/ui.js'
import { summarizeVerdicts, type VerdictSummary } from '../../verdicts/summary.js'
import type { VerdictRow } from '../../verdicts/types.js'

export function sayEstimate(
  ui: Ui,
  { requests, promptTokens, mostReplyTokens, cost }: Estimate,
  { judgeMaxCost: cap }: Pick<Options, 'judgeMaxCost'>,
): void {
  const price = cost ? ` · costs ${figure(cost.least)} to ${figure(cost.most)}` : ''
  ui.line(
    `estimate  ${amount(requests, 'request')} · about ${count(promptTokens)} tokens to read, at most ${count(mostReplyTokens)} to write${price}`,
  )
  if (cap !== undefined && cost !== undefined && cost.least > cap)
    ui.warn(`judge_max_cost ${cap} will be reached before the end`, 'raise it, or judge fewer answers')
}

/** Counts of verdicts, both orders of a pair apart. */
export function sayVerdicts(ui: Ui, rows: readonly VerdictRow[]): VerdictSummary {
  const summary = summarizeVerdicts(rows)
  ui.table({
    columns: [text('a'), text('b'), ...['a wins', 'b wins', 'ties', 'both bad', 'a, ties half'].map(numeric)],
    rows: summary.pairs.map(({ systems, a, b, tie, bothBad, winRate }) => [
      ...systems,
      ...[a, b, tie, bothBad].map((n) => count(n)),
      percent(winRate),
    ]),
  })
  if (summary.errors > 0) {
    const { comment } = rows.findLast(({ verdict }) => verdict === 'error') ?? {}
    ui.warn(`${amount(summary.errors, 'pairing')} without a verdict, such as: ${comment}`, 'they count as errors, never as ties')
  }
  return summary
}
