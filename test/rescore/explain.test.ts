import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type ExplainRules, explainList, fitsList, levelOfGate } from '../../src/rescore/explain.js'
import { explainLoss, type LossRules } from '../../src/rescore/explain-loss.js'
import { legacyRank, type RankOptions, rankLists } from '../../src/rescore/rank.js'
import type { DefaultCase as Case } from '../losses/default-lists.js'
import { example } from './helpers.js'

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/clha/${name}.json`, import.meta.url), 'utf8'))
const { cases } = fixture('default') as { cases: Case[] }
const named = cases.map((c) => [c.name, c] as const)

const scaleOf = ({ options: { T, e } }: Case) => ({ temperature: T, labelError: e })

const rankOptions = ({ options: o }: Case, changes: Partial<RankOptions> = {}): RankOptions => ({
  labelSource: o.label_source,
  pairWeight: o.pair_weight,
  minConfidence: o.min_confidence,
  sftGate: 'soft',
  gateQuantile: 0.25,
  gateLevel: o.level,
  ...changes,
})

const rulesOf = (c: Case): ExplainRules => ({
  mode: 'default',
  scale: scaleOf(c),
  labelSource: c.options.label_source,
  pairWeight: c.options.pair_weight,
  minConfidence: c.options.min_confidence,
  sftGate: 'soft',
  level: c.options.level,
})

const rank = (c: Case, rewards = c.lists.map((l) => l.r), changes?: Partial<RankOptions>) =>
  rankLists(
    c.lists.map((l) => example(l.r.length, l.human)),
    rewards,
    rankOptions(c, changes),
    () => scaleOf(c),
  )

describe('the vectors of the reference', () => {
  test.each(named)('%s: the shares of the lists add up to the loss of the step', (_, c) => {
    const { margin, margin_scale: marginScale, sft_weight: sftWeight } = c.options
    const rules: LossRules = { margin, marginScale, sftWeight, sftReduction: 'tokens' }
    const shares = rank(c).map((list, i) =>
      explainLoss(list, { sums: c.lists[i].S, counts: c.lists[i].c }, rules),
    )
    const sum = (of: (s: (typeof shares)[number]) => number) => shares.reduce((total, s) => total + of(s), 0)
    const weight = sum((s) => s.contrastWeight)
    expect(weight).toBeCloseTo(c.expected.pair_weight_sum, 10)
    expect(weight > 0 ? sum((s) => s.contrast) / weight : 0).toBeCloseTo(c.expected.clha, 10)
    const sft = (sftWeight * sum((s) => s.sft)) / sum((s) => s.sftDenominator)
    expect(sft).toBeCloseTo(c.expected.sft, 10)
  })

  test.each(named)('%s: log-odds are the sum of their parts, and give the belief and the gate', (_, c) => {
    for (const list of rank(c)) {
      expect(fitsList(list, rulesOf(c))).toBe(true)
      const { pairs, gate, meanBeliefs, order } = explainList(list, rulesOf(c))
      for (const { logit, belief } of pairs) expect(1 / (1 + Math.exp(-logit))).toBeCloseTo(belief, 12)
      expect(1 / (1 + Math.exp(-(gate.above as number)))).toBeCloseTo(gate.weight, 12)
      const falling = order.map((i) => (meanBeliefs as number[])[i])
      expect(falling.every((b, i) => i === 0 || b <= falling[i - 1] + 1e-12)).toBe(true)
    }
  })

  test.each(named)('%s: what would change a pair does change it, and a little less does not', (_, c) => {
    rank(c).forEach((list, i) => {
      for (const pair of explainList(list, rulesOf(c)).pairs) {
        const at = (gap: number, changes?: Partial<RankOptions>) => {
          const rewards = c.lists.map((l) => [...l.r])
          rewards[i][pair.better] = rewards[i][pair.worse] + gap
          const same = (p: { better: number; worse: number }) =>
            [p.better, p.worse].sort().join() === [pair.better, pair.worse].sort().join()
          return rank(c, rewards, changes)[i].pairs.find(same) as (typeof list.pairs)[number]
        }
        // Near certainty the tolerance of min_confidence is a wider gap.
        const step = (c.options.min_confidence > 0.999 ? 0.01 : 1e-6) * c.options.T
        if (pair.turnsBelow !== undefined) expect(at(pair.turnsBelow - step).better).toBe(pair.worse)
        if (pair.keptFrom !== undefined && pair.turnsBelow !== undefined) {
          const kept = at(pair.keptFrom + step)
          expect(kept.better).toBe(pair.better)
          expect(kept.weight).toBeGreaterThan(0)
          if (pair.keptFrom > pair.turnsBelow + 2 * step) expect(at(pair.keptFrom - step).weight).toBe(0)
        }
        if (pair.reason === 'contradicted' || pair.belief <= 0.5 || pair.belief > 1 - 1e-9) continue
        expect(at(pair.gap, { minConfidence: pair.keptUpTo - 1e-9 }).weight).toBeGreaterThan(0)
        expect(at(pair.gap, { minConfidence: pair.keptUpTo + 1e-9 }).weight).toBe(0)
      }
    })
  })
})

test('the first vector by hand: two lists of two answers and one of three', () => {
  const [first, second] = rank(cases[0]).map((list) => explainList(list, rulesOf(cases[0])))
  // T 2, e 1/4: ln 3 for a label; (4.581 + 0.612) / 2 = 2.5965; 2q - 1 of sg(3.695).
  expect(first.labelLogit).toBeCloseTo(Math.log(3), 12)
  expect(first.pairs[0].fromReward).toBeCloseTo(2.5965, 12)
  expect(first.pairs[0].logit).toBeCloseTo(2.5965 + Math.log(3), 12)
  expect(first.pairs[0].weight).toBeCloseTo(0.95151526, 8)
  // 0.8 is a log-odds of ln 4, of which the label brings ln 3: 2 ln(4/3) of reward are left.
  expect(first.pairs[0].keptFrom).toBeCloseTo(2 * Math.log(4 / 3), 12)
  expect(first.pairs[0].turnsBelow).toBeCloseTo(-2 * Math.log(3), 12)
  // Here reward (0.4 for the other answer) and label disagree: unsure.
  expect(second.pairs[0]).toMatchObject({ better: 1, worse: 0, reason: 'unsure', weight: 0 })
  expect(second.pairs[0].fromReward).toBeCloseTo(-0.4, 12)
  expect(second.labels).toMatchObject([{ better: 1, worse: 0, verdict: 'doubtful' }])
  expect(first.gate).toMatchObject({ index: 0, reward: 4.581, level: 0, above: 2.2905 })
})

test('legacy: the raw gap against the threshold, the paper’s sums', () => {
  // Gaps 5.193, 2.191 and 3.002 with the threshold 3, as in the paper's figure.
  const [list] = legacyRank([example(3)], [[4.581, -0.612, 2.39]])
  const { pairs, gate } = explainList(list, { mode: 'legacy', threshold: 3, level: 0 })
  const seen = pairs.map((p) => [p.better, p.worse, p.distance, p.reason])
  expect(seen).toEqual([
    [0, 2, 1, 'gap below threshold'],
    [0, 1, 2, 'kept'],
    [2, 1, 1, 'kept'],
  ])
  expect(pairs[0]).toMatchObject({ keptFrom: 3, turnsBelow: 0 })
  expect(pairs[0].keptUpTo).toBeCloseTo(2.191, 12)
  expect(gate).toMatchObject({ weight: 1, level: 0, above: 4.581 })
  const loss = explainLoss(
    list,
    { sums: [-12, -18, -24], counts: [10, 12, 10] },
    {
      margin: 3,
      marginScale: 'rank',
      sftWeight: 0.05 * 4,
      sftReduction: 'lists',
    },
  )
  // s = -1.2, -1.5, -2.4: distance 2: 6 - 0.3; distance 1: 3 - (-2.4 + 1.5); SFT 0.2 * 12.
  expect(loss.alone.clha).toBeCloseTo(5.7 + 3.9, 12)
  expect(loss.alone.sft).toBeCloseTo(2.4, 12)
  expect(loss.alone.total).toBeCloseTo(12, 12)
})

test('a soft gate tells its level, but not when it is all open or shut; another T does not fit', () => {
  const [list] = rank(cases[0])
  expect(levelOfGate(list, 2)).toBeCloseTo(0, 12)
  expect(levelOfGate({ ...list, sft: { index: 0, weight: 1 } }, 2)).toBeUndefined()
  const rules = rulesOf(cases[0]) as Extract<ExplainRules, { mode: 'default' }>
  for (const other of [
    { scale: { temperature: 2.1, labelError: 0.25 } },
    { minConfidence: 0.99 },
    { pairWeight: 'hard' as const },
  ])
    expect(fitsList(list, { ...rules, ...other })).toBe(false)
})
