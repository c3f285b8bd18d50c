/**
 * BCO, arXiv 2404.04656, eq. 9: -ln sg(beta D - delta) for desirable answers, -ln sg(delta - beta D) for undesirable ones;
 * delta is the running mean of the rewards beta D, this step's included, without gradient. `bco_pair` adds both sides of a
 * pair. Checked against TRL's DPOTrainer (`bco_pair`, recorded with delta = 0).
 * TRL 1.16.0, `DPOTrainer._compute_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { ops } from '../tensor/index.js'
import { logistic } from './math.js'
import type { PairLoss, PairNumbers, PairTerm } from './pairwise.js'
import type { StepFacts } from './types.js'
import type { RowTerm } from './unpaired.js'

/** Mean of all values seen so far. */
export interface RunningMean {
  mean: number
  count: number
}

export function updatedMean({ mean, count }: RunningMean, values: readonly number[]): RunningMean {
  if (values.length === 0) return { mean, count }
  const sum = values.reduce((a, b) => a + b, 0)
  const total = count + values.length
  return { mean: mean + (sum - values.length * mean) / total, count: total }
}

export const bcoTerm =
  ({ beta }: { beta: number }): RowTerm =>
  (ratio, sign, facts) =>
    logistic(ops.mul(sign, ops.addScalar(ops.mulScalar(ratio, beta), -(facts?.shift ?? 0))))

export const bcoPairTerm =
  ({ beta }: { beta: number }): PairTerm =>
  (better, worse, { facts }) => {
    const delta = facts?.shift ?? 0
    const up = ops.addScalar(ops.mulScalar(better.ratio(), beta), -delta)
    const down = ops.addScalar(ops.mulScalar(worse.ratio(), -beta), delta)
    return ops.add(logistic(up), logistic(down))
  }

/** BCO's delta as a training remembers it; held-out data leave no trace. */
export function runningDelta() {
  let running: RunningMean = { mean: 0, count: 0 }
  return {
    facts(rewards: readonly number[], training: boolean): StepFacts {
      if (training) running = updatedMean(running, rewards)
      return { shift: running.mean, metrics: { delta: running.mean } }
    },
    state: () => ({ ...running }),
    restore: ({ mean, count }: Record<string, number>) => {
      running = { mean, count }
    },
  }
}

/** With the running mean of both sides' rewards beta D. */
export function bcoPairLoss({ beta }: { beta: number }): PairLoss {
  const { facts, ...memory } = runningDelta()
  const rewards = (p: PairNumbers) => [
    beta * (p.better - p.betterReference),
    beta * (p.worse - p.worseReference),
  ]
  return {
    term: bcoPairTerm({ beta }),
    facts: (pairs, training) => facts(pairs.flatMap(rewards), training),
    ...memory,
  }
}
