/** How likely one verdict is under Bradley & Terry's model, with ties as halves or with a width of their own. */
import { logSigmoid, sigmoid } from '../statistics.js'

/**
 * -ln P of a verdict with its derivatives by z, the lead of the first, and by eta, the width of ties. Reused by every
 * row: reading it after the next call is an error.
 */
export interface RowLoss {
  value: number
  z: number
  eta: number
  zz: number
  zEta: number
  etaEta: number
}

export type ContestLoss = (score: number, z: number, eta: number, into: RowLoss) => void

/** Bradley & Terry (1952): P(first) = sg(z); a tie is half a win of each. `score` may be any probability. */
export const tiesAsHalves: ContestLoss = (score, z, _eta, into) => {
  const p = sigmoid(z)
  into.value = -score * logSigmoid(z) - (1 - score) * logSigmoid(-z)
  into.z = p - score
  into.zz = p * (1 - p)
  into.eta = into.zEta = into.etaEta = 0
}

/**
 * Rao & Kupper (1967): P(first) = sg(z - eta), P(second) = sg(-z - eta), P(tie) = the rest, which is
 * sg(eta + z) sg(eta - z) (1 - exp(-2 eta)). `score`: 1, 0, or one half for a tie.
 */
export const raoKupper: ContestLoss = (score, z, eta, into) => {
  const sides = score === 0.5 ? [z + eta, eta - z] : [score === 1 ? z - eta : -z - eta]
  into.value = into.z = into.eta = into.zz = into.zEta = into.etaEta = 0
  sides.forEach((lead, side) => {
    const byZ = score === 0.5 ? (side === 0 ? 1 : -1) : score === 1 ? 1 : -1
    const byEta = score === 0.5 ? 1 : -1
    const miss = sigmoid(-lead)
    const curve = miss * (1 - miss)
    into.value -= logSigmoid(lead)
    into.z -= miss * byZ
    into.eta -= miss * byEta
    into.zz += curve
    into.zEta += curve * byZ * byEta
    into.etaEta += curve
  })
  if (score !== 0.5) return
  const odds = Math.expm1(2 * eta)
  into.value = eta > 0 ? into.value - Math.log(-Math.expm1(-2 * eta)) : Number.POSITIVE_INFINITY
  into.eta -= 2 / odds
  into.etaEta += (4 * Math.exp(2 * eta)) / odds ** 2
}
