import { expect, test } from 'vitest'
import {
  benchmarkOf,
  bestOfCredit,
  pairAccuracy,
  type RewardedList,
  rewardBench2Scores,
  rewardBenchScores,
  rmBenchScores,
  tiesScore,
} from '../../src/evaluate/reward-benchmarks.js'
import { evaluateReward } from '../../src/evaluate/reward-evaluation.js'
import { createRandom } from '../../src/random.js'
import { sigmoid } from '../../src/statistics/statistics.js'

/** The first `right` answers are better than all others. */
const list = (rewards: number[], right = 1, source = 's', id = 'x'): RewardedList => ({
  id,
  source,
  rewards,
  preferences: rewards
    .slice(0, right)
    .flatMap((_, better) => rewards.slice(right).map((__, i) => ({ better, worse: right + i }))),
})
const pair = (gap: number, source = 's') => list([gap, 0], 1, source)

test('pairs: an equal reward counts one half', () => {
  expect(pairAccuracy([pair(1), pair(-1), pair(0)])).toMatchObject({ count: 1.5, total: 3, share: 0.5 })
})

test('best of n: full credit alone at the top, a share of it with others, none below', () => {
  expect(bestOfCredit(list([3, 1, 2, 0]))).toBe(1)
  expect(bestOfCredit(list([3, 3, 3, 0]))).toBeCloseTo(1 / 3, 12)
  expect(bestOfCredit(list([1, 2, 0, 0]))).toBe(0)
})

test('RewardBench: subsets by their prompts, math as much as all code, sections alike', () => {
  const lists = [
    ...[1, 1, -1, 1].map((gap) => pair(gap, 'alpacaeval-easy')),
    ...[1, -1].map((gap) => pair(gap, 'mt-bench-easy')),
    pair(1, 'math-prm'),
    ...[-1, -1, -1].map((gap) => pair(gap, 'hep-cpp')),
  ]
  expect(benchmarkOf(lists)).toBe('reward_bench')
  const scores = rewardBenchScores(lists)
  expect(scores.map(({ name, count }) => [name, count])).toEqual([
    ['Chat', 6],
    ['Reasoning', 4],
    ['RewardBench', 10],
  ])
  // Chat (3 + 1) / 6; reasoning (3 * 1 + 3 * 0) / 6; the mean of the two.
  for (const [i, value] of [4 / 6, 0.5, (4 / 6 + 0.5) / 2].entries())
    expect(scores[i].value).toBeCloseTo(value, 12)
})

test('RewardBench 2: the rule of Ties by hand, and subsets alike', () => {
  const ties = [
    list([3, 1, 2], 1, 'Ties', 'ref:0'),
    list([4, 3, 1], 2, 'Ties', 'tied:0'),
    list([0, 1, 0], 1, 'Ties', 'ref:1'),
    list([5, 1, 0.5], 2, 'Ties', 'tied:1'),
  ]
  // Gaps: ref 1, -1; tied 2, 0.5. Spreads 1, 4. Accurate: tied both, ref one. Gap above spread: the first, with the smaller
  // gap none. tanh(1 / 1 - 1) = 0 and tanh(-1 / 4 - 1).
  const wanted = 0.3 + 0.15 + 0.2 / 2 + 0 + (0.01 * (0 + Math.tanh(-1.25))) / 2
  expect(tiesScore(ties)).toBeCloseTo(wanted, 12)
  const scores = rewardBench2Scores([...ties, list([1, 0, 0, 0], 1, 'Math', 'm')])
  expect(benchmarkOf([...ties, list([1, 0, 0, 0], 1, 'Math', 'm')])).toBe('reward_bench_2')
  expect(scores.at(-1)?.value).toBeCloseTo((wanted + 1) / 2, 12)
})

test('RM-Bench: a reward for looks is right where the right answer looks better, and wrong where it does not', () => {
  // Right: plain 1, detailed 2, Markdown 3; wrong half a point below in the same style.
  const lists = [list([1, 2, 3, 0.5, 1.5, 2.5], 3)]
  expect(benchmarkOf(lists)).toBe('rm_bench')
  expect(rmBenchScores(lists).map(({ name, value }) => [name, value])).toEqual([
    ['easy', 1],
    ['normal', 1],
    ['hard', 0],
    ['RM-Bench', 2 / 3],
  ])
})

test('calibration: rewards that are log-odds have T of one, and are as sure as they should be', () => {
  const random = createRandom('reward')
  const lists = Array.from({ length: 3000 }, () => {
    const lead = 2 * random.normal()
    return pair(random.next() < sigmoid(Math.abs(lead)) ? Math.abs(lead) : -Math.abs(lead))
  })
  const { calibration, benchmark } = evaluateReward(lists)
  expect(benchmark).toBe('pairs')
  expect(calibration?.temperature).toBeGreaterThan(0.5)
  expect(calibration?.temperature).toBeLessThan(1.3)
  expect(calibration?.ece).toBeLessThan(0.08)
  expect(evaluateReward(lists.slice(0, 20)).calibration).toBeUndefined()
})
