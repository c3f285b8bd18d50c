/** Which verdicts stand: undone ones go, and what says nothing of the answers is counted apart. */
import type { Outcome, VerdictRow } from './types.js'

/** A row that says which answer is better, or that neither is. */
export interface JudgedRow extends VerdictRow {
  verdict: Outcome
}

export interface Standing {
  judged: JudgedRow[]
  errors: VerdictRow[]
  skipped: VerdictRow[]
  /** Verdicts that their raters took back. */
  undone: number
}

/** @param rows in the order in which they were given */
export function standing(rows: readonly VerdictRow[]): Standing {
  const kept = withoutUndone(rows)
  return {
    judged: kept.filter((row): row is JudgedRow => !['error', 'skip', 'undo'].includes(row.verdict)),
    errors: kept.filter(({ verdict }) => verdict === 'error'),
    skipped: kept.filter(({ verdict }) => verdict === 'skip'),
    undone: rows.filter(({ verdict }) => verdict === 'undo').length,
  }
}

/** An `undo` takes back the rater's last verdict on the same answers, shown in the same order, under the same settings. */
function withoutUndone(rows: readonly VerdictRow[]): VerdictRow[] {
  const taken = new Set<number>()
  const given = new Map<string, number[]>()
  for (const [i, row] of rows.entries()) {
    const key = JSON.stringify([row.rater, row.settings, row.item, orderOf(row)])
    const earlier = given.get(key) ?? []
    if (row.verdict === 'undo') {
      const last = earlier.pop()
      if (last !== undefined) taken.add(last)
      taken.add(i)
    } else earlier.push(i)
    given.set(key, earlier)
  }
  return rows.filter((_, i) => !taken.has(i))
}

/** The answers in the order in which they were shown. */
const orderOf = ({ a, b, shown }: VerdictRow) => (shown === 'ab' ? [a, b] : [b, a])

/** What a verdict counts for `a`: 1, 0, or one half where neither is better. */
export const scoreOf = (verdict: Outcome): number => (verdict === 'a' ? 1 : verdict === 'b' ? 0 : 0.5)

/** A verdict with the answers exchanged. */
export const turned = <V extends VerdictRow['verdict']>(verdict: V): V =>
  (verdict === 'a' ? 'b' : verdict === 'b' ? 'a' : verdict) as V

/** The same row seen from the other answer. */
export function flipped<Row extends VerdictRow>(row: Row): Row {
  return {
    ...row,
    a: row.b,
    b: row.a,
    shown: row.shown === 'ab' ? 'ba' : 'ab',
    systems: [row.systems[1], row.systems[0]],
    verdict: turned(row.verdict),
    ...(row.grade && { grade: [row.grade[1], row.grade[0]] }),
    ...(row.gold && { gold: turned(row.gold) }),
  }
}
