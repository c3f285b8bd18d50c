import { describe, expect, test } from 'vitest'
import { legacyDefaults, legacyRank, type RankOptions, rankLists } from '../../src/rescore/rank.js'
import { example } from './helpers.js'

const options: RankOptions = {
  labelSource: 'posterior',
  pairWeight: 'soft',
  minConfidence: 0.8,
  sftGate: 'soft',
  gateQuantile: 0.25,
}
const scale = () => ({ temperature: 2, labelError: 0.25 })

describe('default mode', () => {
  test('labels are kept, doubtful or reversed by the order and by their belief', () => {
    const lists = rankLists(
      [example(2, [[0, 1]]), example(2, [[1, 0]]), example(2, [[0, 1]])],
      [
        [4, 0],
        [1, 0.2],
        [0, 4],
      ],
      options,
      scale,
    )
    expect(lists.map((l) => l.labels[0].verdict)).toEqual(['kept', 'doubtful', 'reversed'])
    expect(lists[0].labels[0].belief).toBeCloseTo(1 / (1 + Math.exp(-2) / 3), 12)
    expect(lists[1].labels[0].belief).toBeCloseTo(1 / (1 + Math.exp(0.4) / 3), 12)
    expect(lists[2].labels[0].belief).toBeCloseTo(1 / (1 + Math.exp(2) / 3), 12)
  })

  test('a tie goes to the human-chosen candidate, then to the file order', () => {
    const rank = (human: number[][]) =>
      rankLists([example(2, human)], [[1, 1]], { ...options, labelSource: 'reward' }, scale)[0].order
    expect(rank([[1, 0]])).toEqual([1, 0])
    expect(rank([])).toEqual([0, 1])
  })

  test('human labels with an error of 1/4 reach a min_confidence of 3/4', () => {
    const only = { ...options, labelSource: 'human', minConfidence: 0.75 } as const
    const [list] = rankLists([example(2, [[0, 1]])], [[0, 5]], only, scale)
    expect(list.pairs[0].weight).toBeCloseTo(0.5, 12)
    expect(list.labels[0].verdict).toBe('kept')
  })

  test('a cycle of human preferences is taken as it is: each pair by its own belief', () => {
    const [list] = rankLists(
      [
        example(3, [
          [0, 1],
          [1, 2],
          [2, 0],
        ]),
      ],
      [[0, 0, 0]],
      { ...options, minConfidence: 0.7 },
      scale,
    )
    expect(list.order).toEqual([0, 1, 2])
    expect(list.pairs.map((p) => [p.better, p.worse])).toEqual([
      [0, 1],
      [2, 0],
      [1, 2],
    ])
    for (const pair of list.pairs) expect(pair.belief).toBeCloseTo(0.75, 12)
    // The order has to contradict one of them; no label is believed wrong.
    expect(list.labels.map((l) => l.verdict)).toEqual(['kept', 'kept', 'kept'])
  })

  test('repeated preferences add up; contradicting ones cancel and get no verdict', () => {
    const [twice, both] = rankLists(
      [
        example(2, [
          [0, 1],
          [0, 1],
        ]),
        example(2, [
          [0, 1],
          [1, 0],
        ]),
      ],
      [
        [0, 0],
        [0, 0],
      ],
      options,
      scale,
    )
    expect(twice.labels).toHaveLength(1)
    // Odds of 3 to 1 twice: 9 to 1.
    expect(twice.pairs[0].belief).toBeCloseTo(0.9, 12)
    expect(both.labels).toHaveLength(0)
    expect(both.pairs[0]).toMatchObject({ belief: 0.5, weight: 0 })
  })

  test('huge rewards and labels that are never wrong give finite numbers', () => {
    const lists = rankLists(
      [example(2, [[1, 0]]), example(3, [[1, 0]])],
      [
        [1e300, -1e300],
        [1e5, 0, -1e5],
      ],
      options,
      () => ({ temperature: 0.01, labelError: 0 }),
    )
    for (const list of lists) {
      expect(list.pairs.every((p) => p.belief >= 0.5 && p.belief <= 1 && Number.isFinite(p.weight))).toBe(
        true,
      )
      expect(Number.isFinite(list.sft.weight)).toBe(true)
    }
  })

  test('the gate level is the quantile of the best rewards of the same source, in units of r / T', () => {
    const rows = [
      [0, -9],
      [4, -9],
      [8, -9],
      [12, -9],
      [100, -9],
    ]
    const examples = rows.map((_, i) => example(2, [], { source: i < 4 ? 'a' : 'b' }))
    const gates = (extra: Partial<RankOptions>) =>
      rankLists(examples, rows, { ...options, ...extra }, () => ({ temperature: 2, labelError: 0.25 })).map(
        (l) => l.sft.weight,
      )
    const sg = (x: number) => 1 / (1 + Math.exp(-x))
    for (const [i, gate] of gates({}).entries())
      expect(gate).toBeCloseTo([sg(-1.5), sg(0.5), sg(2.5), sg(4.5), 0.5][i], 12)
    expect(gates({ sftGate: 'hard' })).toEqual([0, 1, 1, 1, 0])
    expect(gates({ sftGate: 'off' })).toEqual([1, 1, 1, 1, 1])
    expect(gates({ sftGate: 'hard', gateLevel: 8 })).toEqual([0, 0, 0, 1, 1])
  })

  test('two scorers with different units get the same gates for the same r / T', () => {
    const examples = Array.from({ length: 6 }, () => example(1))
    const r = [[1], [2], [3], [10], [20], [30]]
    const lists = rankLists(examples, r, options, (i) => ({ temperature: i < 3 ? 1 : 10, labelError: 0.25 }))
    for (const i of [0, 1, 2]) expect(lists[i].sft.weight).toBeCloseTo(lists[i + 3].sft.weight, 12)
  })

  test('only training rows set the gate level', () => {
    const lists = rankLists(
      [example(1), example(1)],
      [[1], [50]],
      { ...options, training: (i) => i === 0 },
      scale,
    )
    expect(lists[0].sft.weight).toBe(0.5)
    expect(lists[1].sft.weight).toBeGreaterThan(0.99)
  })

  test('wrong rewards, preferences and options are refused with the place', () => {
    const run =
      (ex = example(2), r = [1, 2], o = {}, s = scale()) =>
      () =>
        rankLists([ex], [r], { ...options, ...o }, () => s)
    expect(run(example(2), [1])).toThrow('pairs.jsonl:1: 1 rewards for 2 candidates')
    expect(run(example(2), [1, Number.NaN])).toThrow('pairs.jsonl:1: the reward of candidate 1 is NaN')
    expect(run(example(2, [[0, 2]]))).toThrow('pairs.jsonl:1: the preference 0 over 2')
    expect(run(example(0), [])).toThrow('no candidate')
    expect(run(example(2), [1, 2], { minConfidence: 80 })).toThrow('min_confidence is 80')
    expect(run(example(2), [1, 2], { gateQuantile: 25 })).toThrow('gate_quantile is 25')
    expect(run(example(2), [1, 2], {}, { temperature: 0, labelError: 0.2 })).toThrow('temperature is 0')
    expect(run(example(2), [1, 2], {}, { temperature: 1, labelError: 0.5 })).toThrow('label_error is 0.5')
    expect(() => rankLists([], [[1]], options, scale)).toThrow('1 rows of rewards for 0 examples')
  })
})

describe('legacy mode', () => {
  test('lists are sorted by falling reward; ties keep the human order, then the file order', () => {
    const rank = (r: number[], human: number[][] = []) => legacyRank([example(r.length, human)], [r])[0].order
    expect(rank([1, 3, 2])).toEqual([1, 2, 0])
    expect(rank([1, 1, 5])).toEqual([2, 0, 1])
    expect(rank([1, 1, 5], [[1, 0]])).toEqual([2, 1, 0])
  })

  test('the human label is replaced: reversed labels are called so, unused ones doubtful', () => {
    const lists = legacyRank(
      [example(2, [[1, 0]]), example(2, [[0, 1]]), example(2, [[0, 1]])],
      [
        [5, 0],
        [5, 0],
        [3, 0],
      ],
    )
    expect(lists.map((l) => l.labels[0].verdict)).toEqual(['reversed', 'kept', 'doubtful'])
    expect(lists[0].sft).toEqual({ index: 0, weight: 1 })
    expect(lists[0].labels[0].belief).toBeCloseTo(1 / (1 + Math.exp(5)), 12)
  })

  test('lists of different lengths are refused with both places', () => {
    const run = () =>
      legacyRank(
        [example(2), example(3, [], { row: 7 })],
        [
          [1, 0],
          [2, 1, 0],
        ],
        legacyDefaults,
      )
    expect(run).toThrow('pairs.jsonl:7: 3 candidates, but pairs.jsonl:1 has 2')
  })
})
