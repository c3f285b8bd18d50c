/** What `clha judge` says: the estimate before, and what the judge said. */
import type { Options } from '../../config/options.js'
import type { Estimate } from '../../judges/estimate.js'
import { againstTable } from '../../report/verdicts/verdict-tables.js'
import { verdictSentences } from '../../report/verdicts/verdict-words.js'
import { formatSigned } from '../../show/numbers.js'
import { amount, count, figure, MISSING, percent } from '../../show/units.js'
import { type PositionBias, positionBias } from '../../statistics/position-bias.js'
import type { Ui } from '../../terminal/ui.js'
import { bothOrders } from '../../verdicts/counted.js'
import { verdictFigures } from '../../verdicts/figures.js'
import { summarizeVerdicts } from '../../verdicts/summary.js'
import type { Comparison, VerdictRow } from '../../verdicts/types.js'

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

/** What came of it: who wins, and how far the place of an answer moved the judge. */
export function sayVerdicts(ui: Ui, { items }: Pick<Comparison, 'items'>, rows: readonly VerdictRow[]) {
  const figures = verdictFigures({ items }, rows)
  if (figures) {
    ui.table(againstTable(figures, 'the judge'))
    for (const line of verdictSentences(figures, 'the judge')) ui.line(line)
  }
  const position = positionBias(bothOrders(rows))
  if (position.pairs > 0) sayPosition(ui, position)
  const { errors, pairs } = summarizeVerdicts(rows)
  if (errors > 0) {
    const { comment } = rows.findLast(({ verdict }) => verdict === 'error') ?? {}
    ui.warn(
      `${amount(errors, 'pairing')} without a verdict, such as: ${comment}`,
      'they count as errors, never as ties',
    )
  }
  return { pairs, ...(position.pairs > 0 && { position }) }
}

function sayPosition(ui: Ui, { pairs, first, second, bias, consistent, p }: PositionBias): void {
  ui.line(
    `both orders   ${amount(pairs, 'pair')} · ${percent(consistent)} with one verdict · the first answer won twice ${count(first)} times, the second ${count(second)} (bias ${signed(bias)}, p ${figure(p)})`,
  )
  if ((consistent ?? 1) < LEAST_CONSISTENT)
    ui.warn(
      'in most pairs the judge changed its verdict with the order: where an answer stood decided more than what it said',
      'such pairs count as ties; take another judge or template',
    )
}

/** Below it, most verdicts are about the order. */
const LEAST_CONSISTENT = 0.5

const signed = (x: number | null): string => (x === null ? MISSING : formatSigned(x, 2))
