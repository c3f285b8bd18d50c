/** Scores and lists of the recorded CLHA cases, and a loss run with its gradients by the summed log-probabilities. */
import type { ClhaOptions } from '../../src/losses/clha.js'
import type { Denominators, LossList, LossParts, Scores } from '../../src/losses/types.js'
import { createRandom } from '../../src/random.js'
import { type DType, f32, f64, gradients, native, ops, requiresGrad, scope } from '../../src/tensor/index.js'

// Tensors this small never need a second thread; on a busy machine they would wait for it.
native().setThreads(1)

export function offsetsOf(lists: readonly (readonly unknown[])[]): number[] {
  const offsets = [0]
  for (const list of lists) offsets.push(offsets[offsets.length - 1] + list.length)
  return offsets
}

export interface Numbers {
  total: number
  parts: Record<string, number>
  /** d total / d S, flat. */
  gradient: number[]
  /** d part / d S for each part. */
  partGradients: Record<string, number[]>
}

export type Loss = (scores: Scores, lists: readonly LossList[], denominators?: Denominators) => LossParts

/** Runs a loss on plain numbers: `sums` and `counts` one row a list. */
export function runLoss(
  loss: Loss,
  sums: readonly (readonly number[])[],
  counts: readonly (readonly number[])[],
  lists: readonly LossList[],
  options: { dtype?: DType; denominators?: Denominators; reference?: readonly number[] } = {},
): Numbers {
  return scope(() => {
    const make = options.dtype === 'f32' ? f32 : f64
    const run = () => {
      const sum = requiresGrad(make(sums.flat()))
      return {
        sum,
        ...loss(
          { sum, counts: counts.flat(), offsets: offsetsOf(counts), reference: options.reference },
          lists,
          options.denominators,
        ),
      }
    }
    const by = (key?: string) => {
      const { sum, total, parts } = run()
      const [gradient] = gradients([ops.mulScalar(key === undefined ? total : parts[key], 1)], [sum])
      return gradient?.numbers() ?? sums.flat().map(() => 0)
    }
    const { total, parts } = run()
    const names = Object.keys(parts)
    return {
      total: total.item(),
      parts: Object.fromEntries(names.map((name) => [name, parts[name].item()])),
      gradient: by(),
      partGradients: Object.fromEntries(names.map((name) => [name, by(name)])),
    }
  })
}

/** A list whose place-pairs all point from a lower to a higher index, weight 1, half a unit of reward apart for each place. */
export const allPairs = (n: number, group = 0): LossList => ({
  pairs: Array.from({ length: n }, (_, better) =>
    Array.from({ length: n - better - 1 }, (_, k) => ({
      better,
      worse: better + 1 + k,
      distance: k + 1,
      weight: 1,
      group,
      gap: (k + 1) / 2,
    })),
  ).flat(),
  sft: { index: 0, weight: 1, group },
})

/** Lists of 1 to 4 answers with random weights and reference. */
export function randomStep(seed: string, number = 7) {
  const random = createRandom(seed)
  const sizes = Array.from({ length: number }, (_, i) => 1 + (i % 4))
  const draw = (scale: number) => sizes.map((n) => Array.from({ length: n }, () => -scale * random.next()))
  const policy = draw(12)
  return {
    sums: policy,
    counts: sizes.map((n) => Array.from({ length: n }, () => 1 + random.int(9))),
    reference: policy.map((row) => row.map((s) => s + 2 * random.next() - 1)),
    lists: sizes.map((n): LossList => {
      const all = allPairs(n)
      return {
        pairs: all.pairs.map((p) => ({ ...p, weight: random.int(4) === 0 ? 0 : 0.1 + random.next() })),
        sft: { index: random.int(n), weight: random.next(), group: 0 },
      }
    }),
  }
}

/** A pair for each two rewards that differ, with their gap. */
export function byReward(reward: readonly number[]): LossList {
  const pairs = reward.flatMap((r, better) =>
    reward.flatMap((other, worse) =>
      r > other ? [{ better, worse, distance: 1, weight: 1, group: 0, gap: r - other }] : [],
    ),
  )
  return { pairs, sft: { index: reward.indexOf(Math.max(...reward)), weight: 1, group: 0 } }
}

/** The paper's lists, taken in the order given: one group per rank distance, one micro-batch. */
export function legacyLists(
  reward: readonly (readonly number[])[],
  threshold: number,
  sftIndex?: readonly number[],
): LossList[] {
  return reward.map((r, b) => ({
    pairs: r.flatMap((better, k) =>
      r.slice(k + 1).map((worse, i) => ({
        better: k,
        worse: k + 1 + i,
        distance: i + 1,
        weight: Math.abs(better - worse) > threshold ? 1 : 0,
        group: i + 1,
      })),
    ),
    sft: { index: sftIndex?.[b] ?? 0, weight: r[sftIndex?.[b] ?? 0] > 0 ? 1 : 0, group: 0 },
  }))
}

export const legacyOptions = (n: number, margin: number, sftWeight: number): ClhaOptions => ({
  margin,
  marginScale: 'rank',
  sftWeight: sftWeight * (n - 1) ** 2,
  sftReduction: 'lists',
  groups: 1,
})
