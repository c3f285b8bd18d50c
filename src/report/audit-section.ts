/** The audit of the labels: counts, truth, rewards before and after, and the labels worth reading. */
import { promptText } from '../dialogue.js'
import type { AuditReport, LabelExample } from '../rescore/audit.js'
import type { Histogram, TruthCheck } from '../rescore/audit-parts.js'
import { formatNumber, formatSigned, percentCounted } from '../show/numbers.js'
import { wholePercent } from '../show/units.js'
import * as t from './audit-tables.js'
import { histogramChart, shareChart } from './kit/charts.js'
import { escapeHtml as esc } from './kit/escape.js'
import { figure, figures, type Html, long, moreInJson, paragraphs, type Section, table } from './kit/html.js'
import { inkOf } from './kit/palette.js'

const SHOWN = 20
const TEXT_LIMIT = 1200
const INK_OF_VERDICT = { kept: inkOf(0), doubtful: inkOf(4), reversed: inkOf(1) }

/** All sections of the audit. */
export function auditSections(audit: AuditReport | undefined): Section[] {
  if (!audit) return []
  const truth = audit.truth ? truthBody(audit.truth) : ''
  return [
    {
      id: 'audit',
      heading: 'Audit of the labels',
      body: countsBody(audit) + expectedBody(audit) + truth + table(t.lengthTable(audit.length)),
    },
    { id: 'rewards', heading: 'Rewards before and after', body: histograms(audit) },
    { id: 'reversed', heading: 'Labels that look reversed', body: examples(audit.reversed) },
    { id: 'doubtful', heading: 'Labels too close to call', body: examples(audit.doubtful) },
  ]
}

function countsBody(audit: AuditReport): Html {
  const { kept, value } = audit.threshold
  const paper = `With a fixed threshold of ${formatNumber(value, 1)} on raw rewards, ${percentCounted(kept)} of the pairs would be contrasted.`
  const counts = t.auditTable(audit)
  const sources = Object.entries(audit.sources)
  if (sources.length === 0) return table(counts, true)
  const parts = t.VERDICTS.map((v) => ({
    label: t.VERDICT_WORDS[v],
    ink: INK_OF_VERDICT[v],
    counts: sources.map(([, s]) => s.labels[v]),
  }))
  const chart = shareChart(
    'Labels by source',
    'share of labels',
    sources.map(([name]) => name),
    parts,
  )
  return table(counts, true) + paragraphs([paper]) + figures([figure(chart, counts)])
}

function expectedBody({ expected }: AuditReport): Html {
  if (!expected) return ''
  return table(t.expectedTable(expected)) + paragraphs([`In a word: ${expected.sentence}.`])
}

/** The confusion matrix as a table: number, share, and a tint that only repeats the share. */
function truthBody(truth: TruthCheck): Html {
  const heat = (['right', 'wrong'] as const).map((name) => {
    const counts = t.VERDICTS.map((v) => truth.confusion[v][name])
    const all = counts.reduce((a, b) => a + b, 0)
    return [undefined, ...counts.map((count) => (all > 0 ? count / all : 0)), undefined]
  })
  return `<h3>Against the truth</h3>${table(t.truthTable(truth), false, heat)}${table(t.truthRatesTable(truth), true)}`
}

function histograms({ histograms: { before, after } }: AuditReport): Html {
  const one = (title: string, h: Histogram, names: [string, string]) => {
    const bins = [h.better, h.worse].map((counts, k) => ({ label: names[k], ink: inkOf(k), counts }))
    return figure(histogramChart(title, 'reward', h.edges, bins), t.histogramTable(title, h, names))
  }
  return figures([
    one('Before: by human label', before, ['chosen', 'rejected']),
    one('After: by the rescored order', after, ['best', 'worst']),
  ])
}

const examples = (all: readonly LabelExample[]): Html =>
  all.slice(0, SHOWN).map(example).join('\n') + moreInJson(all.length - SHOWN)

function example(e: LabelExample): Html {
  const answer = (name: string, { text, reward }: LabelExample['other']) =>
    `<div class="answer"><h4>${name}</h4>${long(text, TEXT_LIMIT)}<dl><dt>reward</dt><dd>${formatSigned(reward)}</dd></dl></div>`
  const head = `${esc(`${e.file}, row ${e.row}`)} · ${esc(e.source)} · the label is right with probability ${wholePercent(e.belief)}`
  const truly =
    e.trulyReversed === undefined
      ? ''
      : `<p class="truth">In truth the label ${e.trulyReversed ? 'was reversed' : 'was right'}.</p>`
  const answers = answer('chosen by the label', e.preferred) + answer('rejected by the label', e.other)
  return `<article class="sample"><h3>${head}</h3>${truly}${long(promptText(e.prompt), TEXT_LIMIT, 'quoted prompt')}<div class="answers">${answers}</div></article>`
}
