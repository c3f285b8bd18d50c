/** The rows of people as ballots: those of one page have one time, and an undo takes its ballot away. */
import type { ComparisonItem, VerdictRow } from '../verdicts/types.js'

export interface Given {
  rater: string
  /** Index of the item. */
  item: number
  systems: readonly string[]
  rows: readonly VerdictRow[]
}

/** Ballots that stand, in the order in which they were given. */
export function givenBallots(rows: readonly VerdictRow[], items: readonly ComparisonItem[]): Given[] {
  const indexOf = new Map(items.map(({ item }, i) => [item, i]))
  const open: VerdictRow[][] = []
  for (const row of rows.filter(({ kind }) => kind === 'person')) {
    if (row.verdict === 'undo') takeBack(open, row)
    else {
      const ballot = open.findLast(([first]) => first.rater === row.rater)
      const same = ballot?.[0].at === row.at && ballot[0].item === row.item
      if (same) ballot.push(row)
      else open.push([row])
    }
  }
  return open.map((own) => ({
    rater: own[0].rater,
    item: indexOf.get(own[0].item) as number,
    systems: [...new Set(own.flatMap(({ systems }) => systems))],
    rows: own,
  }))
}

/** The last row that an undo speaks of. */
function takeBack(open: VerdictRow[][], undo: VerdictRow): void {
  const speaksOf = (row: VerdictRow) =>
    row.rater === undo.rater &&
    row.item === undo.item &&
    row.a === undo.a &&
    row.b === undo.b &&
    row.shown === undo.shown
  const i = open.findLastIndex((ballot) => ballot.some(speaksOf))
  if (i < 0) return
  const left = open[i].filter((row) => !speaksOf(row))
  if (left.length === 0) open.splice(i, 1)
  else open[i] = left
}

export const undoRows = ({ rows }: Given, now: Date): VerdictRow[] =>
  rows.map(({ comment: _, milliseconds: __, ...row }) => ({ ...row, verdict: 'undo', at: now.toISOString() }))
