/** A comparison for other tools: one row a verdict, with the texts, as JSON lines, CSV or in Chatbot Arena's layout. */
import { type Message, promptText } from '../../dialogue.js'
import { standing, turned } from '../standing.js'
import type { Comparison, ComparisonItem, VerdictRow } from '../types.js'

export const EXPORT_LAYOUTS = ['pairs', 'arena'] as const
export type ExportLayout = (typeof EXPORT_LAYOUTS)[number]

/** Verdicts that stand, in the order in which they were given; errors as well, so that none is lost. */
export function exportRows({ items, rows }: Comparison, layout: ExportLayout): Record<string, unknown>[] {
  const byName = new Map(items.map((item) => [item.item, item]))
  const { judged, errors } = standing(rows)
  const kept = new Set<VerdictRow>([...judged, ...errors])
  return rows
    .filter((row) => kept.has(row))
    .map((row) => {
      const item = byName.get(row.item) as ComparisonItem
      return layout === 'pairs' ? pairRow(row, item) : arenaRow(row, item)
    })
}

const textOf = (item: ComparisonItem, system: string) =>
  item.answers.find((answer) => answer.system === system)?.text

function pairRow(row: VerdictRow, item: ComparisonItem): Record<string, unknown> {
  const [systemA, systemB] = row.systems
  const { verdict, shown, rater, kind, milliseconds, cost, comment, gold, at } = row
  return {
    item: item.item,
    prompt: item.prompt,
    system_a: systemA,
    system_b: systemB,
    answer_a: textOf(item, systemA),
    answer_b: textOf(item, systemB),
    verdict,
    shown,
    rater,
    kind,
    milliseconds,
    cost,
    comment,
    gold,
    at,
    ...(item.source !== undefined && { source: item.source }),
  }
}

const ARENA = { a: 'model_a', b: 'model_b', tie: 'tie', both_bad: 'tie (bothbad)', error: 'error' } as const

/** The first of the two is the one that stood on the left. */
function arenaRow(row: VerdictRow, item: ComparisonItem): Record<string, unknown> {
  const [left, right] = row.shown === 'ab' ? row.systems : [row.systems[1], row.systems[0]]
  const seen = row.shown === 'ba' ? turned(row.verdict) : row.verdict
  const turns: readonly Message[] =
    typeof item.prompt === 'string' ? [{ role: 'user', content: item.prompt }] : item.prompt
  const dialogue = (system: string) => [...turns, { role: 'assistant', content: textOf(item, system) ?? '' }]
  return {
    question_id: item.item,
    model_a: left,
    model_b: right,
    winner: ARENA[seen as keyof typeof ARENA],
    judge: row.rater,
    // Arena's judges are people.
    ...(row.kind !== 'person' && { kind: row.kind }),
    conversation_a: dialogue(left),
    conversation_b: dialogue(right),
    turn: 1,
    tstamp: Date.parse(row.at) / 1000,
  }
}

/** RFC 4180, columns in the order of their first row. */
export function csvOf(rows: readonly Record<string, unknown>[]): string {
  const columns = [...new Set(rows.flatMap(Object.keys))]
  const cell = (value: unknown) => {
    const text = Array.isArray(value) ? promptText(value as Message[]) : String(value ?? '')
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))]
  return lines.map((line) => `${line.map(cell).join(',')}\n`).join('')
}
