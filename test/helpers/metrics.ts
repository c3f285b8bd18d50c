/** What a run wrote into its metrics.jsonl. */
import type { MetricRow } from '../../src/runs/metrics.js'

/** Lines of JSON. */
export const parseLines = <T>(text: string): T[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T)

/** The training loss by step; of a step that was made twice the later one. */
export function recordedRun(text: string): Map<number, number> {
  const rows = parseLines<{ step: number; loss?: number }>(text)
  return new Map(rows.flatMap(({ step, loss }) => (loss === undefined ? [] : [[step, loss]])))
}

/** Each row without what is no number, such as its warnings. */
export const figuresOf = (rows: readonly MetricRow[]): Record<string, number>[] =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
    ),
  )
