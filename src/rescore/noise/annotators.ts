/** Whose labels are better than whose. */
import type { PairVotes } from '../../data/pair-votes.js'
import { logit, sigmoid } from '../../statistics/statistics.js'
import { logitOfLabel, rewardLogit, type Scale } from '../beliefs.js'

/** A pair as it bears witness: its votes, and the reward gap of its first answer over its second. */
export interface Witnessed {
  votes: PairVotes
  gap: number
}

/** Pairs that one scorer scored, and what its rewards mean. */
export interface WitnessedPart {
  pairs: readonly Witnessed[]
  scale: Scale
}

/** An annotator counts as all do until this many labels speak for something else. */
const SHRINK = 20
const STEPS = 50

/**
 * Each annotator's error by EM (Dawid & Skene 1979 for two classes, with the reward as one more witness whose errors
 * are known): the truth of a pair is weighed by all its labels and its reward, then errors are counted by that weight.
 * An annotator with few labels is drawn to the error of all.
 * @param all the error of all annotators' labels
 * @returns log-odds of each one's error minus those of `all`; undefined where fewer than two are named, or no label errs
 */
export function annotatorShifts(
  parts: readonly WitnessedPart[],
  all: number,
): Record<string, number> | undefined {
  const told = parts.flatMap(({ pairs, scale }) =>
    pairs.map(({ votes, gap }) => ({ votes, fromReward: rewardLogit(gap, scale) })),
  )
  const names = new Set(told.flatMap(({ votes }) => [...(votes.by?.keys() ?? [])]))
  // Labels that are given as never wrong are so whoever they come from.
  if (names.size < 2 || all === 0) return undefined
  let errors = new Map([...names].map((name) => [name, all]))
  for (let step = 0; step < STEPS; step++) {
    const wrong = new Map<string, number>([...names].map((name) => [name, SHRINK * all]))
    const total = new Map<string, number>([...names].map((name) => [name, SHRINK]))
    for (const { votes, fromReward } of told) {
      if (!votes.by) continue
      const truth = sigmoid(fromReward + namedLogit(votes, errors, all))
      for (const [name, [up, down]] of votes.by) {
        wrong.set(name, wrong.get(name)! + up * (1 - truth) + down * truth)
        total.set(name, total.get(name)! + up + down)
      }
    }
    const next = new Map([...names].map((name) => [name, clampError(wrong.get(name)! / total.get(name)!)]))
    const moved = Math.max(...[...names].map((name) => Math.abs(next.get(name)! - errors.get(name)!)))
    errors = next
    if (moved < 1e-6) break
  }
  return Object.fromEntries([...errors].map(([name, e]) => [name, logit(e) - logit(all)]))
}

const clampError = (e: number) => Math.min(0.495, Math.max(0.002, e))

/** Log-odds of the votes with each annotator's own error; votes without a name count as all do. */
function namedLogit({ up, down, by }: PairVotes, errors: ReadonlyMap<string, number>, all: number): number {
  let [sum, net] = [0, up - down]
  for (const [name, [u, d]] of by ?? []) {
    sum += (u - d) * logitOfLabel(errors.get(name) ?? all)
    net -= u - d
  }
  return sum + (net === 0 ? 0 : net * logitOfLabel(all))
}
