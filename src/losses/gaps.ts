/** How far apart the answers of a pair are: log-odds that the better one is better, in the reward's own unit. */
import type { LossPair } from './types.js'

export interface GapOptions {
  beta: number
  /** What the gap is multiplied by before the policy's margin is held against it. */
  gapScale: number
}

/** @throws Error for a pair without one: the method's items bring them */
export function gapOf({ gap }: LossPair): number {
  if (gap === undefined) throw new Error('this loss needs the gap of each pair')
  return gap
}

/** Scaled gaps as plain numbers, one a pair. */
export const scaledGaps = (pairs: readonly LossPair[], scale: number): number[] =>
  pairs.map((pair) => scale * gapOf(pair))
