/** Tables of verdicts: systems against the baseline, raters one by one. */
import { numberEstimate, percentCounted, percentEstimate, signedEstimate } from '../../show/numbers.js'
import { numeric, type Table, text } from '../../show/table.js'
import { count, figure, MISSING } from '../../show/units.js'
import type { VerdictFigures } from '../../verdicts/figures.js'
import type { RaterAgreement } from '../../verdicts/rater-agreement.js'
import type { RaterQuality } from '../../verdicts/rater-quality.js'
import { prune } from '../tables.js'

/** A row a system but the baseline. */
export function againstTable(figures: VerdictFigures, who: string): Table {
  const { baseline, against, strengths } = figures
  const labels = [
    `wins against ${baseline}`,
    'at equal length',
    'win / tie / both bad / loss',
    'strength, logits',
  ]
  const rows = against.map(({ system, winRate, lengthControlled, wins, ties, bothBad, losses }) => [
    system,
    percentEstimate(winRate),
    percentEstimate(lengthControlled),
    [wins, ties, bothBad, losses].map(count).join(' / '),
    signedEstimate(strengths.find((strength) => strength.system === system)?.above),
  ])
  return prune({ caption: `By ${who}`, columns: [text('system'), ...labels.map(numeric)], rows })
}

/** A row a rater. */
export function ratersTable(raters: readonly RaterQuality[]): Table {
  const labels = [
    'verdicts',
    'errors',
    'skipped',
    'right on gold',
    'same again',
    'first slot wins',
    'bias in both orders',
    'seconds',
  ]
  const rows = raters.map((rater) => [
    rater.rater,
    rater.kind,
    count(rater.verdicts),
    rater.errors > 0 ? count(rater.errors) : MISSING,
    rater.skipped > 0 ? count(rater.skipped) : MISSING,
    percentCounted(rater.gold),
    percentCounted(rater.repeats),
    percentCounted(rater.first),
    rater.position ? numberEstimate({ value: rater.position.bias }) : MISSING,
    rater.seconds === undefined ? MISSING : figure(rater.seconds),
  ])
  const columns = [text('rater'), text('kind'), ...labels.map(numeric)]
  return prune({ caption: 'Raters', columns, rows })
}

/** A row for every two groups of raters. */
export function agreementTable(agreements: readonly RaterAgreement[]): Table {
  const rows = agreements.map(({ raters: [x, y], all, decided }) => [
    x === y ? `${x}, two of them` : `${x} and ${y}`,
    count(all.prompts),
    percentEstimate(all),
    percentEstimate(decided),
  ])
  const labels = ['prompts', 'say the same', 'where both name a winner']
  return { caption: 'Agreement', columns: [text('raters'), ...labels.map(numeric)], rows }
}
