/** What was compared, what differs in its settings, what people and judges said, and the cases to look at. */
import { wordDiff } from '../../evaluate/word-diff.js'
import { formatSigned } from '../../show/numbers.js'
import { type Table, text } from '../../show/table.js'
import { count, MISSING } from '../../show/units.js'
import { escapeHtml as esc } from '../kit/escape.js'
import { type Html, long, paragraphs, type Section, table } from '../kit/html.js'
import { prune } from '../tables.js'
import type { CaseReport, ComparisonReport } from '../types.js'
import { againstTable, ratersTable } from './verdict-tables.js'
import { verdictSentences } from './verdict-words.js'

const PROMPT_LIMIT = 1500
const ANSWER_LIMIT = 3000

export function comparisonSections(comparison: ComparisonReport | undefined): Section[] {
  if (!comparison) return []
  const { verdicts, cases } = comparison
  const said = verdicts.flatMap(({ who, figures, raters }) => [
    table(againstTable(figures, who)),
    paragraphs(verdictSentences(figures, who)),
    table(ratersTable(raters)),
  ])
  const of = (why: CaseReport['why']) => cases.filter((one) => one.why === why)
  return [
    { id: 'verdicts', heading: 'Verdicts', body: said.join('') },
    { id: 'worst', heading: 'Where it is worst', body: of('worst').map(caseBody).join('\n') },
    { id: 'random', heading: 'Cases by chance', body: of('random').map(caseBody).join('\n') },
    {
      id: 'compared',
      heading: 'What was compared',
      body: table(systemsTable(comparison)) + table(settingsTable(comparison)),
    },
  ]
}

export const systemsTable = ({ systems }: ComparisonReport): Table => ({
  caption: 'Systems, the baseline first',
  columns: [
    text('system'),
    text('from'),
    text('kind'),
    { label: 'answers', numeric: true },
    { label: 'made now', numeric: true },
  ],
  rows: systems.map(({ name, path, kind, answers, made }) => [name, path, kind, count(answers), count(made)]),
})

export const settingsTable = ({ systems, settings }: ComparisonReport): Table =>
  prune({
    caption: 'Settings of the runs that differ',
    columns: [text('setting'), ...systems.map(({ name }) => text(name))],
    rows: settings.map(({ key, values }) => [key, ...values.map((value) => value ?? MISSING)]),
  })

/** Against the first system; of the first what the second lacks is marked. */
function caseBody({ prompt, answers, note, source }: CaseReport, k: number): Html {
  const [first, second] = answers
  const shown = answers.map(({ system, text: own, rewards }, i) => {
    const other = i === 0 ? second : first
    const scores = Object.entries(rewards).map(
      ([name, value]) => `<dt>${esc(name)}</dt><dd>${formatSigned(value)}</dd>`,
    )
    const body =
      own === '' || own.length > ANSWER_LIMIT ? long(own, ANSWER_LIMIT) : marked(own, other?.text ?? own)
    return `<div class="answer"><h4>${esc(system)}</h4>${body}${scores.length ? `<dl>${scores.join('')}</dl>` : ''}</div>`
  })
  const head = [`Case ${k + 1}`, source, note].filter(Boolean).map((part) => esc(part ?? ''))
  return `<article class="sample"><h3>${head.join(' · ')}</h3>${long(prompt, PROMPT_LIMIT, 'quoted prompt')}<div class="answers">${shown.join('')}</div></article>`
}

/** Words that the other answer lacks at this place stand in <mark>. */
function marked(own: string, other: string): Html {
  const pieces = wordDiff(own, other)[0].map(({ text: piece, own: differs }) =>
    differs ? `<mark>${esc(piece)}</mark>` : esc(piece),
  )
  return `<div class="quoted" dir="auto">${pieces.join('')}</div>`
}
