/** Losses for noisy labels and for rewards, each held against its formula in plain numbers. */
import { describe, expect, test } from 'vitest'
import { bcoPairLoss } from '../../src/losses/bco.js'
import { dpoTerm } from '../../src/losses/dpo.js'
import { mixed, noTerm } from '../../src/losses/mix.js'
import { type PairTerm, pairwiseLoss } from '../../src/losses/pairwise.js'
import { rpoEmLoss } from '../../src/losses/rpo-em.js'
import { f64 } from '../../src/tensor/index.js'
import { centralDifferences, relative } from '../helpers/numbers.js'
import { allPairs, offsetsOf, randomStep, runLoss } from './lists.js'
import { lossOf, type PairLoss, pairNumbers, run, shutGate } from './pairwise-cases.js'

const step = randomStep('robust')
const ref = step.reference.flat()
const offsets = offsetsOf(step.sums)

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const nll = (x: number) => Math.log(1 + Math.exp(-x))
const kl = (p: number, q: number) => p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q))

/** sum of w l(x, gap) / sum of w over all pairs, x = beta (D_w - D_l). */
function formula(flat: readonly number[], beta: number, of: (x: number, gap: number) => number): number {
  let [sum, weights] = [0, 0]
  step.lists.forEach(({ pairs }, i) => {
    const ratio = step.reference[i].map((r, k) => flat[offsets[i] + k] - r)
    for (const { better, worse, weight, gap } of pairs) {
      sum += weight * of(beta * (ratio[better] - ratio[worse]), gap as number)
      weights += weight
    }
  })
  return sum / weights
}

const [beta, scale, alpha, trust] = [0.4, 0.6, 3, 0.8]

/** The belief that a label is right, by Bayes. */
const right = (x: number) => (trust * sigmoid(x)) / (trust * sigmoid(x) + (1 - trust) * sigmoid(-x))

const FORMULAS: [string, Parameters<typeof lossOf>[1], (x: number, gap: number) => number][] = [
  ['rpo_sq', { beta, gap_scale: scale }, (x, g) => (x - scale * g) ** 2],
  ['rpo_bwd_kl', { beta, gap_scale: scale }, (x, g) => kl(sigmoid(scale * g), sigmoid(x))],
  ['rpo_fwd_kl', { beta, gap_scale: scale }, (x, g) => kl(sigmoid(x), sigmoid(scale * g))],
  [
    'mmpo',
    { beta, gap_scale: scale },
    (x, g) => sigmoid(scale * g) * nll(x) + (1 - sigmoid(scale * g)) * nll(-x),
  ],
  ['odpo', { beta, gap_scale: scale }, (x, g) => nll(x - scale * g)],
  [
    'ropo',
    { beta, alpha },
    (x) => ((4 * alpha) / (1 + alpha) ** 2) * nll(x) + ((4 * alpha ** 2) / (1 + alpha) ** 2) * sigmoid(-x),
  ],
  ['rpo_em', { beta, reliability: trust }, (x) => right(x) * nll(x) + (1 - right(x)) * nll(-x)],
]

test.each(FORMULAS)('%s is the value of an independent formula', (name, params, of) => {
  const found = runLoss(run(lossOf(name, params) as PairLoss), step.sums, step.counts, step.lists, {
    reference: ref,
  })
  expect(relative([found.total], [formula(step.sums.flat(), beta, of)])).toBeLessThan(1e-10)
})

test.each(FORMULAS.filter(([name]) => name !== 'rpo_em'))(
  '%s has the gradient of that formula',
  (name, params, of) => {
    const found = runLoss(run(lossOf(name, params) as PairLoss), step.sums, step.counts, step.lists, {
      reference: ref,
    }).gradient
    const moved = centralDifferences(step.sums.flat(), (sums) => formula(sums, beta, of))
    expect(relative(found, moved)).toBeLessThan(1e-7)
  },
)

describe('RPO-EM', () => {
  test('its gradient is that of the likelihood which expectation and maximisation climb', () => {
    const loss = lossOf('rpo_em', { beta, reliability: trust }) as PairLoss
    const found = runLoss(run(loss), step.sums, step.counts, step.lists, { reference: ref }).gradient
    const moved = centralDifferences(step.sums.flat(), (sums) =>
      formula(sums, beta, (x) => -Math.log(trust * sigmoid(x) + (1 - trust) * sigmoid(-x))),
    )
    expect(relative(found, moved)).toBeLessThan(1e-7)
  })

  test('the reliability follows the mean belief in training, by hand; held-out data leave it alone', () => {
    const loss = rpoEmLoss({ beta: 1, reliability: 0.75, rate: 0.2 })
    const list = shutGate(allPairs(2))
    const pairs = pairNumbers([list], [[-1, -1 - Math.log(3)]], [[-1, -1]])
    // x = ln 3, so sg(x) = 3/4: w = 9/16 / (9/16 + 1/16) = 9/10
    loss.facts?.(pairs, false)
    expect(loss.state?.().reliability).toBe(0.75)
    const facts = loss.facts?.(pairs, true)
    expect([...(facts?.partners?.values() ?? [])][0].ofBetter).toBeCloseTo(0.9, 14)
    expect(loss.state?.().reliability).toBeCloseTo(0.8 * 0.75 + 0.2 * 0.9, 14)
    expect(facts?.metrics.reliability).toBe(loss.state?.().reliability)
    const other = rpoEmLoss({ beta: 1, reliability: 0.6, rate: 0.2 })
    other.restore?.(loss.state?.() as Record<string, number>)
    expect(other.state?.()).toEqual(loss.state?.())
  })

  test('a pair that the policy holds for reversed is pushed the other way', () => {
    const pull = (worse: number) =>
      runLoss(
        run(lossOf('rpo_em', { beta: 1, reliability: 0.75 }) as PairLoss),
        [[-5, worse]],
        [[2, 2]],
        [shutGate(allPairs(2))],
        { reference: [-5, -5] },
      ).gradient[0]
    expect(pull(-5)).toBeLessThan(0)
    expect(pull(-1)).toBeLessThan(0)
    // -ln of the mixture is flat far out, on both sides.
    expect(Math.abs(pull(5))).toBeLessThan(0.01)
  })
})

describe('a mix of losses', () => {
  const single = (term: PairTerm, nllWeight = 0) =>
    runLoss(run({ term, nllWeight }), step.sums, step.counts, step.lists, { reference: ref })

  test('is the sum of its parts, each times its weight', () => {
    const [a, b] = [
      dpoTerm({ beta: 0.3, labelSmoothing: 0 }),
      (lossOf('ropo', { beta: 0.2 }) as PairLoss).term,
    ]
    const mix = mixed([
      { name: 'sigmoid', weight: 0.8, loss: { term: a } },
      { name: 'ropo', weight: 0.3, loss: { term: b } },
      { name: 'sft', weight: 2, loss: { term: noTerm } },
    ])
    const found = single(mix.term, 2)
    const likelihood = single(noTerm, 1)
    expect(found.total).toBeCloseTo(0.8 * single(a).total + 0.3 * single(b).total + 2 * likelihood.total, 12)
    expect(found.parts.nll_loss).toBeCloseTo(2 * likelihood.total, 12)
  })

  test('each loss takes its own facts of the step, and remembers its own', () => {
    const make = () =>
      mixed([
        { name: 'bco_pair', weight: 1, loss: bcoPairLoss({ beta: 0.5 }) },
        { name: 'rpo_em', weight: 1, loss: rpoEmLoss({ beta: 0.5, reliability: 0.7, rate: 0.1 }) },
      ])
    const mix = make()
    const numbers = pairNumbers(step.lists, step.sums, step.reference)
    const facts = mix.facts?.(numbers, true)
    expect(Object.keys(facts?.metrics ?? {})).toEqual(['delta', 'reliability'])
    expect(facts?.parts?.[0]?.shift).toBe(facts?.metrics.delta)
    expect(Object.keys(mix.state?.() ?? {})).toEqual([
      'bco_pair.mean',
      'bco_pair.count',
      'rpo_em.reliability',
    ])
    const other = make()
    other.restore?.(mix.state?.() as Record<string, number>)
    expect(other.state?.()).toEqual(mix.state?.())
    expect(other.facts?.(numbers, false).metrics).toEqual(mix.facts?.(numbers, false).metrics)
  })
})

test('LD-DPO by hand: tokens beyond the length of the other answer count ld_alpha', () => {
  // The better answer has 2 tokens more than the worse one; its first tokens are a candidate of their own.
  const list = {
    pairs: [{ better: 0, worse: 1, distance: 1, weight: 1, group: 0, fronts: [2, 1] as const }],
    sft: { index: 0, weight: 0, group: 0 },
  }
  const scores = { sum: f64([-7, -4, -5]), counts: [5, 3, 3], offsets: [0, 3], reference: [-6, -5, -4.5] }
  const options = { term: dpoTerm({ beta: 0.5, labelSmoothing: 0 }), nllWeight: 1, sftWeight: 0 }
  const found = pairwiseLoss(scores, [list], { ...options, ldAlpha: 0.25 })
  const ratio = 0.25 * -7 + 0.75 * -5 - (0.25 * -6 + 0.75 * -4.5)
  expect(found.parts.rank_loss.item()).toBeCloseTo(nll(0.5 * (ratio - (-4 - -5))), 14)
  // The likelihood is of the whole answer.
  expect(found.parts.nll_loss.item()).toBeCloseTo(7 / 5, 14)
})

test('WPO by hand: a pair counts as much as the policy would give both answers; the weight has no gradient', () => {
  const list = shutGate(allPairs(2))
  const aligned = f64([Math.log(0.5), Math.log(0.4)])
  const options = { term: dpoTerm({ beta: 1, labelSmoothing: 0 }), nllWeight: 0, sftWeight: 0 }
  const of = (weighting: boolean) =>
    runLoss(
      (scores, lists) => pairwiseLoss({ ...scores, aligned }, lists, { ...options, weighting }),
      [[-2, -3]],
      [[4, 4]],
      [list],
      { reference: [-2, -2] },
    )
  expect(of(true).total).toBeCloseTo(0.2 * of(false).total, 14)
  expect(of(true).gradient[0]).toBeCloseTo(0.2 * of(false).gradient[0], 14)
})
