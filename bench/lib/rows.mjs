// Rows of a suite: ratios of two contenders, and values of our own against a bound.
import { median, ratioOf } from './stats.mjs'

/** What a round gave: items a second, or the value that it measured. */
export const rateOf = ({ value, items, wall }) => value ?? items / wall

const VALUES = {
  rate: rateOf,
  /** Model FLOPs a second over the matrix peak. */
  mfu: ({ flops, wall, peak }) => flops / wall / peak,
}

/** @param row see suites.mjs; @param rounds by contender; @param failed why, by contender */
export function rowOf(row, rounds, failed) {
  const name = row.ours ?? 'clha'
  const own = rounds[name] ?? []
  return row.theirs === undefined
    ? boundRow(row, own, failed.get(name))
    : ratioRow(row, own, rounds[row.theirs] ?? [], failed.get(row.theirs), failed.get(name))
}

function boundRow({ value: kind = 'rate', ...row }, own, failure) {
  if (own.length === 0) return { ...row, kind, failure: failure ?? 'no round ended' }
  const values = own.map(VALUES[kind])
  const value = median(values)
  const spread = { low: Math.min(...values), high: Math.max(...values), rounds: values.length }
  const met = row.least === undefined ? value <= row.most : value >= row.least
  return { ...row, kind, value, ...spread, met, peak: own[0].peak }
}

function ratioRow(row, own, other, theirFailure, ourFailure) {
  if (theirFailure?.startsWith('another loss')) return { ...row, failure: theirFailure }
  const ratio = ratioOf(own.map(rateOf), other.map(rateOf))
  if (!ratio) return { ...row, failure: theirFailure ?? ourFailure ?? 'no round ended' }
  // Processor time hardly feels what else runs: the figure to look at where the machine was not quiet.
  const work = (list) => list.map(({ items, cpu }) => items / cpu)
  const byProcessor = ratioOf(work(own), work(other)).ratio
  const most = (list) => Math.max(...list.map((r) => r.peakMiB))
  const memoryRatio = most(own) / most(other)
  const met = row.goal === undefined ? undefined : ratio.ratio >= row.goal
  return {
    ...row,
    ...ratio,
    byProcessor,
    met,
    memoryRatio,
    memoryMet: row.memory && memoryRatio <= row.memory,
  }
}
