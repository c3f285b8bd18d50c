/**
 * How much each of several scorers counts: P(label) = e + (1 - 2e) s(x), x = w . [d_1 … d_K] + w_L d log length, by
 * maximum likelihood over e, lapse and weights. Length stands beside the scorers, so that none is paid for it.
 */
import type { Evidence } from '../noise/evidence.js'
import { ERROR_BOUNDS, LAPSE_BOUNDS } from '../noise/fit-noise.js'
import { logLikelihood, type Point, rowScore } from '../noise/likelihood.js'
import { type Box, climbHill, type Hill } from '../noise/maximise.js'

/** Pairs with their votes, and what speaks for the first answer of each. */
export interface ScoredPairs extends Pick<Evidence, 'up' | 'down' | 'weight'> {
  /** Of each scorer, first minus second answer in units of its median |d|. */
  gaps: readonly Float64Array[]
  /** ln characters, first minus second. */
  length: Float64Array
}

export interface WeightFit {
  /** Log-odds that a gap of each scorer's median |d| gives; none below 0. */
  weights: number[]
  /** Of length, whichever sign. */
  length: number
  /** Log-likelihood in nats, less what it costs weights to differ. */
  value: number
}

/** Weights are drawn to their mean as hard as this many sure pairs would; to 0 they are not drawn. */
const TOGETHER = 10
const WEIGHT_BOUNDS: [number, number] = [0, 20]
const LENGTH_BOUNDS: [number, number] = [-20, 20]
const STARTS = [0.03, 0.2, 0.4].flatMap((e) => [0.3, 1, 3].map((weight) => ({ e, weight })))

export interface WeightOptions {
  /** Which scorers may count; the others weigh 0. */
  use: readonly boolean[]
  /** e, where it is given. */
  labelError?: number
  /** How hard weights are drawn to their mean; 0: the plain maximum of the likelihood, for comparing what scorers add. */
  together?: number
}

/** The most likely weights, none below 0. */
export function fitWeights(pairs: ScoredPairs, options: WeightOptions): WeightFit {
  const { use, labelError, together = TOGETHER } = options
  const free = use.filter(Boolean).length
  const hill = hillOf(pairs, use, together)
  const box: Box = [
    labelError === undefined ? [...ERROR_BOUNDS] : [labelError, labelError],
    [...LAPSE_BOUNDS],
    ...use.map((used): [number, number] => (used ? WEIGHT_BOUNDS : [0, 0])),
    LENGTH_BOUNDS,
  ]
  const starts = STARTS.map(({ e, weight }) => {
    const at = [labelError ?? e, 0.05, ...use.map((used) => (used ? weight / free : 0)), 0]
    return { at, value: hill.value(at) }
  }).sort((a, b) => b.value - a.value)
  const tops = starts.slice(0, 2).map(({ at }) => climbHill(hill, at, box, 1e-6))
  const { at, value } = tops.reduce((a, b) => (b.value > a.value ? b : a))
  const weights = at.slice(2, -1)
  return { weights, length: at[at.length - 1], value }
}

function apart(weights: readonly number[], use: readonly boolean[]): number {
  const used = weights.filter((_, k) => use[k])
  const middle = used.reduce((sum, w) => sum + w, 0) / Math.max(1, used.length)
  return used.reduce((sum, w) => sum + (w - middle) ** 2, 0)
}

function hillOf(pairs: ScoredPairs, use: readonly boolean[], together: number): Hill {
  const columns = [...pairs.gaps, pairs.length]
  const { up, down, weight } = pairs
  const n = up.length
  const gap = new Float64Array(n)
  const free = use.filter(Boolean).length
  const evidenceAt = (at: readonly number[]): Evidence => {
    gap.fill(0)
    for (const [k, column] of columns.entries()) {
      const w = at[k + 2]
      if (w !== 0) for (let i = 0; i < n; i++) gap[i] += w * column[i]
    }
    return { gap, up, down, weight }
  }
  const noise = ([e, lapse]: readonly number[]): Point => [e, lapse, 0]
  return {
    value: (at) => logLikelihood(evidenceAt(at), noise(at)) - (together / 2) * apart(at.slice(2, -1), use),
    sums(at) {
      const sums = rowSums(evidenceAt(at), noise(at), columns)
      const middle = at.slice(2, -1).reduce((sum, w) => sum + w, 0) / Math.max(1, free)
      for (const [k, used] of use.entries()) {
        if (!used) continue
        sums.slope[k + 2] -= together * (at[k + 2] - middle)
        for (const [j, other] of use.entries()) {
          if (other) sums.information[k + 2][j + 2] += together * ((j === k ? 1 : 0) - 1 / free)
        }
      }
      return sums
    },
  }
}

/** Slope by e, lapse and each column's weight, and the sum of the rows' outer products. */
function rowSums(evidence: Evidence, noise: Point, columns: readonly Float64Array[]) {
  const size = columns.length + 2
  const slope = new Array<number>(size).fill(0)
  const information = slope.map(() => new Array<number>(size).fill(0))
  const [three, row] = [new Float64Array(3), new Float64Array(size)]
  for (let i = 0; i < evidence.gap.length; i++) {
    // The slope by ln T is -x times that by x.
    if (Math.abs(evidence.gap[i]) < TINY) evidence.gap[i] = TINY
    rowScore(evidence, i, noise, three)
    row[0] = three[0]
    row[1] = three[1]
    const byGap = -three[2] / evidence.gap[i]
    for (const [k, column] of columns.entries()) row[k + 2] = byGap * column[i]
    for (let a = 0; a < size; a++) {
      slope[a] += evidence.weight[i] * row[a]
      for (let b = 0; b < size; b++) information[a][b] += evidence.weight[i] * row[a] * row[b]
    }
  }
  return { slope, information }
}

const TINY = 1e-9
