/** `clha verdicts show`: figures of each kind of rater by itself, and of every rater. */
import { usageError } from '../../../errors.js'
import { againstTable, agreementTable, ratersTable } from '../../../report/verdicts/verdict-tables.js'
import { verdictSentences } from '../../../report/verdicts/verdict-words.js'
import { numberEstimate, signedEstimate } from '../../../show/numbers.js'
import { amount, count } from '../../../show/units.js'
import { groupBy } from '../../../statistics/group-by.js'
import type { Ui } from '../../../terminal/ui.js'
import { readComparison } from '../../../verdicts/comparison-file.js'
import { countedRows } from '../../../verdicts/counted.js'
import { type FigureOptions, type VerdictFigures, verdictFigures } from '../../../verdicts/figures.js'
import { type RaterAgreement, raterAgreements } from '../../../verdicts/rater-agreement.js'
import { type RaterQuality, raterQualities } from '../../../verdicts/rater-quality.js'
import { STYLES } from '../../../verdicts/style.js'
import { summarizeVerdicts, type VerdictSummary } from '../../../verdicts/summary.js'
import type { RaterKind } from '../../../verdicts/types.js'
import { numberIfGiven, oneOf, textOf, textsOf } from '../../own-flags.js'

export interface ShownVerdicts {
  file: string
  name?: string
  summary: VerdictSummary
  /** By kind of rater; kinds without a verdict that counts are missing. */
  figures: Partial<Record<RaterKind, VerdictFigures>>
  raters: RaterQuality[]
  /** For every two groups of raters that judged the same answers. */
  agreements: RaterAgreement[]
}

const WHO: Record<RaterKind, string> = {
  person: 'people',
  judge: 'the judge',
  reward: 'the reward model',
  rule: 'the rule',
}

/** @throws ClhaError (exit 2) for a file that is no comparison, and a baseline that is not in it, or has no verdict */
export function verdictsShow(file: string, flags: Record<string, unknown>, ui: Ui): ShownVerdicts {
  const options: FigureOptions = {
    baseline: textOf(flags.baseline),
    ties: oneOf('--ties', flags.ties ?? 'half', ['half', 'rao_kupper'] as const),
    style: textsOf(flags.style).map((style) => oneOf('--style', style, STYLES)),
    seed: numberIfGiven('--seed', flags.seed, { least: 0 }),
  }
  const comparison = readComparison(file)
  const { header, items, rows, torn } = comparison
  const systems = new Set(items.flatMap(({ answers }) => answers.map(({ system }) => system)))
  if (options.baseline !== undefined && !systems.has(options.baseline)) {
    throw usageError(
      `--baseline ${options.baseline}: no such system in ${file}`,
      `It compares ${[...systems].join(', ')}.`,
    )
  }
  const counted = countedRows(rows)
  const { baseline } = options
  if (baseline !== undefined && counted.length > 0 && !counted.some((row) => row.systems.includes(baseline)))
    throw usageError(`--baseline ${baseline}: no verdict on it counts in ${file}`, 'Name another system.')
  const summary = summarizeVerdicts(rows)
  ui.station(header.name ?? 'verdicts', overview(summary, systems.size))
  if (torn) ui.warn(`${file}: its last line was cut off and is not counted`)
  const figures: ShownVerdicts['figures'] = {}
  for (const [kind, own] of groupBy(rows, (row) => row.kind)) {
    const found = verdictFigures(comparison, own, options)
    if (!found) continue
    if (baseline !== undefined && found.baseline !== baseline)
      ui.warn(`no verdict of ${WHO[kind]} on ${baseline} counts: shown against ${found.baseline}`)
    figures[kind] = found
    say(ui, found, WHO[kind])
  }
  const raters = raterQualities(rows)
  ui.table(ratersTable(raters))
  const agreements = raterAgreements(rows)
  if (agreements.length > 0) ui.table(agreementTable(agreements))
  return { file, ...(header.name && { name: header.name }), summary, figures, raters, agreements }
}

function overview({ verdicts, items, errors, skipped, undone }: VerdictSummary, systems: number): string {
  const rest = [
    errors > 0 && amount(errors, 'error'),
    skipped > 0 && `${count(skipped)} skipped`,
    undone > 0 && `${count(undone)} undone`,
  ].filter(Boolean)
  return [
    `${amount(verdicts, 'verdict')} on ${amount(items, 'item')}, ${amount(systems, 'system')}`,
    ...rest,
  ].join(' · ')
}

function say(ui: Ui, figures: VerdictFigures, who: string): void {
  ui.table(againstTable(figures, who))
  for (const line of verdictSentences(figures, who)) ui.line(line)
  for (const { a, b, difference } of figures.differences)
    ui.line(`win rate of ${a} minus ${b}: ${signedEstimate(difference)}`)
  for (const { style, effect } of figures.style) ui.line(`style ${style}: ${signedEstimate(effect)} logits`)
  if (figures.slot) ui.line(`standing first: ${signedEstimate(figures.slot)} logits`)
  const { ordinal, nominal } = figures.alpha
  if (figures.raters > 1)
    ui.line(`agreement, alpha: ${numberEstimate(ordinal)} ordinal, ${numberEstimate(nominal)} nominal`)
}
