/** The SFT gate: how much the best answer of a list deserves to be kept likely. */
import { groupBy } from '../statistics/group-by.js'
import { quantile, sigmoid } from '../statistics/statistics.js'

export interface GateOptions {
  /** `soft`: logistic; `hard`: 0 or 1; `off`: always 1. */
  sftGate: 'soft' | 'hard' | 'off'
  /** The level is this quantile of the best answers' rewards, per source. */
  gateQuantile: number
  /** A level in the reward's own unit; stands in for the quantile. The paper's is 0 (with `hard`). */
  gateLevel?: number
}

/** One list as the gate sees it. */
export interface GateRow {
  source: string
  /** Reward of the best answer, raw. */
  reward: number
  temperature: number
  /** Whether the row counts for the quantile. */
  training: boolean
}

/**
 * Gates in [0, 1], one per row: sg((r - level) / T), or 1[r > level] (strict, as the reference code).
 * The quantile is taken over r / T, the only unit that two scorers share. A source without training rows takes the
 * level of all training rows.
 */
export function sftGates(rows: readonly GateRow[], options: GateOptions): number[] {
  if (options.sftGate === 'off') return rows.map(() => 1)
  const level = options.gateLevel === undefined ? levels(rows, options.gateQuantile) : undefined
  return rows.map((row) => {
    const above =
      level === undefined
        ? (row.reward - options.gateLevel!) / row.temperature
        : row.reward / row.temperature - level(row.source)
    return options.sftGate === 'hard' ? Number(above > 0) : sigmoid(above)
  })
}

function levels(rows: readonly GateRow[], q: number): (source: string) => number {
  const training = rows.some((row) => row.training) ? rows.filter((row) => row.training) : rows
  const level = (part: readonly GateRow[]) =>
    quantile(
      part.map(({ reward, temperature }) => reward / temperature),
      q,
    )
  const parts = groupBy(training, ({ source }) => source)
  const bySource = new Map([...parts].map(([source, part]) => [source, level(part)]))
  const all = level(training)
  return (source) => bySource.get(source) ?? all
}
