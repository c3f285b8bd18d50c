/** Whether what stands first pleases: of pairs that one rater saw in both orders. */
import type { Estimate } from './estimate.js'
import { wilson } from './intervals.js'
import { logit } from './statistics.js'

/** A pair that one rater saw twice. */
export interface BothOrders {
  /** The verdict of each order, by the slot that won: `first`, `second` or neither. */
  orders: readonly [Slot, Slot]
}

export type Slot = 'first' | 'second' | 'tie'

export interface PositionBias {
  /** Pairs seen in both orders. */
  pairs: number
  /** Pairs in which the first slot won twice, and the second. */
  first: number
  second: number
  /** (first - second) / pairs; above 0: standing first helps. */
  bias: number | null
  /** Share of pairs with one verdict in both orders. */
  consistent: number | null
  /** Exact McNemar test of `first` against `second`, two-sided. */
  p: number
  /**
   * What standing first adds to an answer's lead, in logits: ln(first / second) / 2, which the answers' own leads have no
   * part in (the conditional likelihood). `value: null` where a slot never won twice.
   */
  logits: Estimate
}

/** Counts of pairs; one tie beside a win is inconsistent and takes no side. */
export function positionBias(pairs: readonly BothOrders[]): PositionBias {
  const n = pairs.length
  const twice = (slot: Slot) => pairs.filter(({ orders: [x, y] }) => x === slot && y === slot).length
  const [first, second, ties] = [twice('first'), twice('second'), twice('tie')]
  // The same answer won in both orders: once from the first place, once from the second.
  const won = pairs.filter(({ orders: [x, y] }) => x !== 'tie' && y !== 'tie' && x !== y).length
  return {
    pairs: n,
    first,
    second,
    bias: n > 0 ? (first - second) / n : null,
    consistent: n > 0 ? (won + ties) / n : null,
    p: exactMcNemar(first, second),
    logits: slotLogits(first, second),
  }
}

function slotLogits(first: number, second: number): Estimate {
  const half = (share: number) => logit(share) / 2
  if (first === 0 && second === 0) return { value: null }
  const [low, high] = wilson(first, first + second)
  const value = first === 0 || second === 0 ? null : half(first / (first + second))
  return { value, interval: [half(low), half(high)] }
}

/** Two-sided p that `a` and `b` come from a fair coin: min(1, 2 P(X <= min)), X ~ B(a + b, 1/2) (McNemar 1947, exact form). */
export function exactMcNemar(a: number, b: number): number {
  const n = a + b
  // In logarithms: 2^-n underflows beyond a thousand pairs.
  let term = -n * Math.LN2
  let sum = Math.exp(term)
  for (let k = 1; k <= Math.min(a, b); k++) {
    term += Math.log(n - k + 1) - Math.log(k)
    sum += Math.exp(term)
  }
  return Math.min(1, 2 * sum)
}
