import { describe, expect, test } from 'vitest'
import { calDpoTerm } from '../../src/losses/cal-dpo.js'
import { dpoTerm } from '../../src/losses/dpo.js'
import { type DivergenceName, divergenceScore } from '../../src/losses/f-divergence.js'
import { pairwiseDenominators } from '../../src/losses/pairwise.js'
import type { LossList } from '../../src/losses/types.js'
import { f64, scope } from '../../src/tensor/index.js'
import { centralDifferences, relative } from '../helpers/numbers.js'
import { allPairs, offsetsOf, randomStep, runLoss } from './lists.js'
import { lossOf, type PairLoss, pairLists, readPairs, run, shutGate } from './pairwise-cases.js'

const { inputs, cases } = readPairs()
const { sums, counts, reference, lists } = pairLists(inputs)

/** One case of each loss, and those that have none. */
const LOSSES: [string, PairLoss][] = [
  ...new Map(
    cases.flatMap((c) => {
      const loss = lossOf(c.name, c.params)
      return loss ? [[c.name, loss] as const] : []
    }),
  ),
  ['cal_dpo', { term: calDpoTerm({ beta: 0.02 }) }],
  ['dr_dpo', lossOf('dr_dpo', { beta: 0.3, beta_prime: 0.6 }) as PairLoss],
  ['rpo_em', lossOf('rpo_em', { beta: 0.3, reliability: 0.8 }) as PairLoss],
  ['ropo', lossOf('ropo', { beta: 0.3, alpha: 2 }) as PairLoss],
  ...['rpo_sq', 'rpo_bwd_kl', 'rpo_fwd_kl', 'mmpo', 'odpo'].map((name): [string, PairLoss] => [
    name,
    lossOf(name, { beta: 0.3, gap_scale: 0.7 }) as PairLoss,
  ]),
  ...(['forward_kl', 'js_divergence', 'alpha_divergence'] as const).map((name): [string, PairLoss] => [
    name,
    { term: dpoTerm({ beta: 0.3, labelSmoothing: 0.1, divergence: { name, alpha: 0.7 } }) },
  ]),
]

test.each(LOSSES)('%s: the gradient agrees with central differences', (name, loss) => {
  const step = randomStep(name)
  const ref = step.reference.flat()
  // What comes from the whole step has no gradient, so it is held while the scores move.
  const facts = loss.facts?.(step.lists, step.sums, step.reference)
  const denominators = { ...pairwiseDenominators(step.lists, step.counts), facts }
  const f = run(loss, 0.3)
  const found = runLoss(f, step.sums, step.counts, step.lists, { denominators, reference: ref }).gradient
  const offsets = offsetsOf(step.counts)
  const value = (sum: number[]) =>
    f(
      { sum: f64(sum), counts: step.counts.flat(), offsets, reference: ref },
      step.lists,
      denominators,
    ).total.item()
  // AOT's unpaired form gives the worse side's gradient without a value, by design.
  if (name === 'aot_unpaired') return
  expect(relative(found, centralDifferences(step.sums.flat(), value))).toBeLessThan(1e-7)
})

test.each(LOSSES)(
  '%s: neither the split into micro-batches nor the order of lists changes anything',
  (name, loss) => {
    const step = randomStep(`${name} split`)
    const of = (order: readonly number[], cuts: readonly number[]) => {
      const take = <T>(all: readonly T[]) => order.map((i) => all[i])
      const [s, c, r, l] = [take(step.sums), take(step.counts), take(step.reference), take(step.lists)]
      const denominators = { ...pairwiseDenominators(l, c), facts: loss.facts?.(l, s, r) }
      const parts = cuts.slice(1).map((end, k) => {
        const cut = <T>(all: readonly T[]) => all.slice(cuts[k], end)
        return runLoss(run(loss, 0.3), cut(s), cut(c), cut(l), { denominators, reference: cut(r).flat() })
      })
      const gradient = parts.flatMap((p) => p.gradient)
      const rows = offsetsOf(s)
      const byList = new Map(order.map((i, k) => [i, gradient.slice(rows[k], rows[k + 1])]))
      return {
        total: parts.reduce((sum, p) => sum + p.total, 0),
        gradient: step.lists.flatMap((_, i) => byList.get(i) as number[]),
      }
    }
    const whole = of([0, 1, 2, 3, 4, 5, 6], [0, 7])
    for (const [order, cuts] of [
      [
        [0, 1, 2, 3, 4, 5, 6],
        [0, 1, 2, 3, 4, 5, 6, 7],
      ],
      [
        [0, 1, 2, 3, 4, 5, 6],
        [0, 3, 7],
      ],
      [
        [6, 2, 0, 5, 1, 4, 3],
        [0, 4, 7],
      ],
    ]) {
      const parts = of(order, cuts)
      expect(relative([parts.total], [whole.total])).toBeLessThan(1e-12)
      expect(relative(parts.gradient, whole.gradient)).toBeLessThan(1e-12)
    }
  },
)

test.each(LOSSES)('%s: candidates may stand in any order', (name, loss) => {
  const step = randomStep(`${name} candidates`, 6)
  const whole = runLoss(run(loss, 0.3), step.sums, step.counts, step.lists, {
    reference: step.reference.flat(),
  })
  const reversed = <T>(rows: readonly (readonly T[])[]) => rows.map((row) => [...row].reverse())
  const mirrored = step.lists.map((list, i): LossList => {
    const at = (index: number) => step.sums[i].length - 1 - index
    return {
      pairs: list.pairs.map((p) => ({ ...p, better: at(p.better), worse: at(p.worse) })),
      sft: { ...list.sft, index: at(list.sft.index) },
    }
  })
  const other = runLoss(run(loss, 0.3), reversed(step.sums), reversed(step.counts), mirrored, {
    reference: reversed(step.reference).flat(),
  })
  expect(relative([other.total], [whole.total])).toBeLessThan(1e-12)
  const offsets = offsetsOf(step.sums)
  const back = step.sums.flatMap((_, i) => other.gradient.slice(offsets[i], offsets[i + 1]).reverse())
  expect(relative(back, whole.gradient)).toBeLessThan(1e-12)
})

describe.each(LOSSES)('%s: edges', (_, loss) => {
  const f = run(loss)

  test('log-probabilities of +-1e4 give a finite loss and a finite gradient', () => {
    const extreme = [
      [-1e4, 1e4],
      [1e4, -1e4],
      [-1e4, -1e4],
      [1e4, 1e4],
      [-1e4, 0],
      [0, -1e4],
    ]
    for (const dtype of ['f32', 'f64'] as const) {
      for (const tokens of [1, 50]) {
        const c = extreme.map(() => [tokens, tokens])
        const l = extreme.map(() => shutGate(allPairs(2)))
        const found = runLoss(f, extreme, c, l, { dtype, reference: extreme.flat().map(() => -10) })
        expect(Number.isFinite(found.total)).toBe(true)
        expect(found.gradient.every(Number.isFinite)).toBe(true)
      }
    }
  })

  test('single answers, pairs of weight 0 and no lists at all: 0, with zero gradients', () => {
    const idle = (n: number) =>
      shutGate({ ...allPairs(n), pairs: allPairs(n).pairs.map((p) => ({ ...p, weight: 0 })) })
    for (const s of [[], [[-4]], [[-4, -5, -6], [-3]]]) {
      const c = s.map((row) => row.map(() => 3))
      const found = runLoss(
        f,
        s,
        c,
        s.map((row) => idle(row.length)),
        { reference: s.flat().map(() => -4) },
      )
      expect(Math.abs(found.total)).toBe(0)
      expect(found.gradient.every((g) => Math.abs(g) === 0)).toBe(true)
    }
  })

  test('answers that tie with each other and with the reference', () => {
    const found = runLoss(f, [[-6, -6]], [[3, 3]], [shutGate(allPairs(2))], { reference: [-6, -6] })
    expect(Number.isFinite(found.total)).toBe(true)
    expect(found.gradient.every(Number.isFinite)).toBe(true)
  })

  test('an answer without scored tokens poisons nothing', () => {
    const found = runLoss(f, [[-6, 0]], [[3, 0]], [shutGate(allPairs(2))], { reference: [-6, 0] })
    expect(Number.isFinite(found.total)).toBe(true)
    expect(found.gradient.every(Number.isFinite)).toBe(true)
  })
})

describe('weights', () => {
  test.each(LOSSES.filter(([, l]) => !l.facts))(
    '%s: sum(w l) / sum(w), so only their ratio matters',
    (name, loss) => {
      const step = randomStep(`${name} weights`)
      const scaled = step.lists.map((l) => ({
        ...l,
        pairs: l.pairs.map((p) => ({ ...p, weight: 7 * p.weight })),
      }))
      const options = { reference: step.reference.flat() }
      const [one, seven] = [step.lists, scaled].map((l) =>
        runLoss(run(loss), step.sums, step.counts, l, options),
      )
      expect(relative([seven.total], [one.total])).toBeLessThan(1e-12)
      expect(relative(seven.gradient, one.gradient)).toBeLessThan(1e-12)
    },
  )

  test('a pair of weight 2 counts as two pairs', () => {
    const twice = { ...lists[0], pairs: [{ ...lists[0].pairs[0], weight: 2 }] }
    const loss = run({ term: dpoTerm({ beta: 0.1, labelSmoothing: 0 }) })
    const [s, c, r] = [sums, counts, reference]
    const doubled = runLoss(loss, [s[0], s[2]], [c[0], c[2]], [twice, lists[2]], {
      reference: [...r[0], ...r[2]],
    })
    const copied = runLoss(loss, [s[0], s[0], s[2]], [c[0], c[0], c[2]], lists.slice(0, 3), {
      reference: [...r[0], ...r[0], ...r[2]],
    })
    expect(doubled.total).toBeCloseTo(copied.total, 13)
  })

  test("any pairwise loss carries CLHA's gated SFT term", () => {
    const step = randomStep('sft term')
    const options = { reference: step.reference.flat() }
    const loss: PairLoss = { term: dpoTerm({ beta: 0.1, labelSmoothing: 0 }) }
    const found = runLoss(run(loss, 0.5), step.sums, step.counts, step.lists, options)
    let [nll, tokens] = [0, 0]
    step.lists.forEach(({ sft: { index, weight } }, i) => {
      nll -= weight * step.sums[i][index]
      tokens += weight * step.counts[i][index]
    })
    expect(found.parts.sft_loss).toBeCloseTo((0.5 * nll) / tokens, 12)
    expect(found.total).toBeCloseTo(found.parts.rank_loss + found.parts.sft_loss, 12)
  })
})

test('Cal-DPO by hand: D_w = 0.2, D_l = -0.1, b = 2', () => {
  const list = shutGate(allPairs(2))
  const found = runLoss(run({ term: calDpoTerm({ beta: 2 }) }), [[-1, -2]], [[4, 4]], [list], {
    reference: [-1.2, -1.9],
  })
  expect(found.total).toBeCloseTo(
    Math.log(1 + Math.exp(-0.3)) + 0.5 * ((0.2 - 0.25) ** 2 + (-0.1 + 0.25) ** 2),
    14,
  )
})

describe('Dr. DPO', () => {
  const step = randomStep('dr_dpo', 7)
  const ref = step.reference.flat()
  /** -b' ln( sum of w e^(-l / b') / sum of w ), from the numbers alone. */
  const formula = (rows: readonly number[][], beta: number, betaPrime: number) => {
    let [likelihood, weights] = [0, 0]
    step.lists.forEach(({ pairs }, i) => {
      for (const { better, worse, weight } of pairs) {
        const log = rows[i].map((sum, k) => sum - step.reference[i][k])
        const loss = Math.log(1 + Math.exp(-beta * (log[better] - log[worse])))
        likelihood += weight * Math.exp(-loss / betaPrime)
        weights += weight
      }
    })
    return -betaPrime * Math.log(likelihood / weights)
  }

  test.each([
    [0.1, 1],
    [0.5, 1],
    [2, 0.3],
    [0.3, 25],
  ])("is an independent formula's value and gradient: beta %d, b' %d", (beta, betaPrime) => {
    const loss = lossOf('dr_dpo', { beta, beta_prime: betaPrime }) as PairLoss
    const found = runLoss(run(loss), step.sums, step.counts, step.lists, { reference: ref })
    expect(relative([found.total], [formula(step.sums, beta, betaPrime)])).toBeLessThan(1e-10)
    const offsets = offsetsOf(step.sums)
    const moved = (sums: number[]) =>
      formula(
        step.sums.map((_, i) => sums.slice(offsets[i], offsets[i + 1])),
        beta,
        betaPrime,
      )
    expect(relative(found.gradient, centralDifferences(step.sums.flat(), moved))).toBeLessThan(1e-7)
  })

  test("without bound on b' it is DPO; a pair that the policy finds unlikely counts less, the less b' is", () => {
    const two = [shutGate(allPairs(2)), shutGate(allPairs(2))]
    const scores = [
      [-1, -2],
      [-9, -1],
    ]
    const of = (loss: PairLoss) =>
      runLoss(
        run(loss),
        scores,
        [
          [3, 3],
          [3, 3],
        ],
        two,
        { reference: [0, 0, 0, 0] },
      )
    const dpo = of({ term: dpoTerm({ beta: 1, labelSmoothing: 0 }) })
    const nearly = of(lossOf('dr_dpo', { beta_prime: 1e6 }) as PairLoss)
    expect(nearly.total).toBeCloseTo(dpo.total, 4)
    const pull = (betaPrime: number) =>
      Math.abs(of(lossOf('dr_dpo', { beta_prime: betaPrime }) as PairLoss).gradient[2])
    expect(Math.abs(dpo.gradient[2])).toBeGreaterThan(pull(2))
    expect(pull(2)).toBeGreaterThan(pull(1))
  })
})

test('AOT, unpaired: both sides get the gradient of the sorted comparison, wherever their partners stand', () => {
  const loss = lossOf('aot_unpaired', { beta: 0.4 }) as PairLoss
  const step = randomStep('aot', 7)
  const value = (moved: number[]) => {
    const offsets = offsetsOf(step.sums)
    const rows = step.sums.map((_, i) => moved.slice(offsets[i], offsets[i + 1]))
    return runLoss(run(loss), rows, step.counts, step.lists, { reference: step.reference.flat() }).total
  }
  const found = runLoss(run(loss), step.sums, step.counts, step.lists, { reference: step.reference.flat() })
  // Here the ranks move with the scores: it is the gradient of the loss itself.
  expect(relative(found.gradient, centralDifferences(step.sums.flat(), value))).toBeLessThan(1e-7)
})

test.each<[DivergenceName, (u: number) => number]>([
  ['reverse_kl', (u) => Math.log(u)],
  ['forward_kl', (u) => -1 / u],
  ['js_divergence', (u) => Math.log(u / (1 + u))],
  ['alpha_divergence', (u) => -(u ** -0.7) / 0.7],
])('%s: scores are f(u) up to a constant', (name, expected) => {
  const ratios = [-2, -0.3, 0, 0.4, 3]
  const found = scope(() => divergenceScore(f64(ratios), { name, alpha: 0.7 }).numbers())
  expect(
    relative(
      found,
      ratios.map((d) => expected(Math.exp(d))),
    ),
  ).toBeLessThan(1e-14)
})
