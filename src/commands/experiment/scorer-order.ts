/** Scorers in the order of trust. */
import { type Cell, LABELS } from '../../evaluate/cells.js'

/** The oracle, labels that people gave to held-out pairs, the judge that training never saw, training's own. */
const SCORERS = ['true', LABELS, 'second', 'reward']

/** Those that any of the cells has; the first one is the judge. */
export function scorersOf(cells: readonly Cell[]): string[] {
  const present = new Set(cells.flatMap(({ rewards }) => Object.keys(rewards)))
  return [...SCORERS.filter((s) => present.has(s)), ...[...present].filter((s) => !SCORERS.includes(s))]
}
