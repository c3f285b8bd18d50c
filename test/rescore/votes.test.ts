import { describe, expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { type AuditWarning, auditWarnings } from '../../src/rescore/audit-warnings.js'
import { beliefs, cautiousBeliefs, rewardLogit, votesLogit } from '../../src/rescore/beliefs.js'
import { expectedSentence } from '../../src/rescore/expected.js'
import { annotatorShifts } from '../../src/rescore/noise/annotators.js'
import { reversalLimit } from '../../src/rescore/noise/reversal.js'
import { type RankOptions, rankDefaults, rankLists } from '../../src/rescore/rank.js'
import { calibrateFolds, rescoreLists } from '../../src/rescore/rescore.js'
import { pairVotes, poolVotes } from '../../src/rescore/votes.js'
import { sigmoid } from '../../src/statistics/statistics.js'
import { example } from './helpers.js'

const vote = (better: number, worse: number, count = 1, annotator?: string) => ({
  better,
  worse,
  count,
  ...(annotator !== undefined && { annotator }),
})

describe('votes', () => {
  test('a pair with votes has those, another one its label; ties stay', () => {
    const mixed = example(3, [[1, 0]], { votes: [vote(1, 0, 2), vote(0, 1), vote(2, 0), vote(0, 2)] })
    expect(pairVotes({ ...mixed, preferences: [...mixed.preferences, { better: 2, worse: 1 }] })).toEqual([
      { first: 0, second: 1, up: 1, down: 2 },
      { first: 1, second: 2, up: 0, down: 1 },
      { first: 0, second: 2, up: 1, down: 1 },
    ])
  })

  test('3 to 0 is three labels, 2 to 1 is one', () => {
    const scale = { temperature: 1, labelError: 0.25 }
    const q = (votes: ReturnType<typeof vote>[]) =>
      rankLists([example(2, [[0, 1]], { votes })], [[0, 0]], rankDefaults, () => scale)[0].labels[0].belief
    expect(q([vote(0, 1, 3)])).toBeCloseTo(27 / 28, 12)
    expect(q([vote(0, 1, 2), vote(1, 0, 1)])).toBeCloseTo(3 / 4, 12)
  })

  test('rows on the same two answers, in whatever order, have the votes of all; the second is no evidence of its own', () => {
    const row = (texts: string[], better: number, extra = {}) =>
      example(2, [[better, 1 - better]], {
        prompt: 'p',
        candidates: texts.map((text) => ({ text })),
        ...extra,
      })
    const rows = [row(['a', 'b'], 0), row(['b', 'a'], 0), row(['a', 'b'], 0), row(['a', 'c'], 0)]
    const pooled = poolVotes(rows)
    expect(pooled.byExample.map(([{ up, down }]) => [up, down])).toEqual([
      [2, 1],
      [1, 2],
      [2, 1],
      [1, 0],
    ])
    expect(pooled.repeated.flat()).toEqual([false, true, true, false])
    expect(pooled).toMatchObject({ pairsAgain: 1, copies: 0 })
    expect(new Set(pooled.prompts).size).toBe(1)
    expect(pooled.examples.map(pairVotes)).toEqual(pooled.byExample)
    expect(pooled.examples[3]).toBe(rows[3])
  })

  test('rows that never contradict one another are copies, unless it is known who judged', () => {
    const row = (annotator?: string) =>
      example(2, [[0, 1]], { prompt: 'p', ...(annotator && { votes: [vote(0, 1, 1, annotator)] }) })
    expect(poolVotes([row(), row()])).toMatchObject({ copies: 1, pairsAgain: 1 })
    expect(poolVotes([row(), row()]).byExample[0][0].up).toBe(1)
    expect(poolVotes([row('ann'), row('bob')])).toMatchObject({ copies: 0 })
    expect(poolVotes([row('ann'), row('bob')]).byExample[0][0].up).toBe(2)
  })

  test('rows of one annotator are copies as rows without are, beside second labels by others', () => {
    const row = (prompt: string, better: number, annotator?: string) =>
      example(2, [[better, 1 - better]], {
        prompt,
        ...(annotator && { votes: [vote(better, 1 - better, 1, annotator)] }),
      })
    const net = (rows: ReturnType<typeof row>[]) => {
      const { byExample, copies, examples } = poolVotes(rows)
      expect(examples.map(pairVotes)).toEqual(byExample)
      return { votes: byExample.map(([{ up, down }]) => [up, down]), copies }
    }
    const again = [row('p', 0, 'ann'), row('p', 0, 'ann'), row('p', 0, 'bob'), row('p', 0, 'bob')]
    expect(net(again)).toEqual({ votes: again.map(() => [2, 0]), copies: 1 })
    // A second look, or another pair on which people differ, makes no second labels of copies.
    const unnamed = [row('q', 0), row('q', 0)]
    const others = [row('p', 0), row('p', 1, 'ann')]
    expect(net([...unnamed, ...others]).votes).toEqual([
      [1, 0],
      [1, 0],
      [1, 1],
      [1, 1],
    ])
    // Who contradicts oneself somewhere does look twice.
    const torn = [row('q', 0, 'ann'), row('q', 1, 'ann'), row('p', 0, 'ann'), row('p', 0, 'ann')]
    expect(net(torn)).toEqual({
      votes: [
        [1, 1],
        [1, 1],
        [2, 0],
        [2, 0],
      ],
      copies: 0,
    })
  })

  test("an annotator's error goes by what each scorer is worth, whichever fold is called the first", () => {
    const random = createRandom('folds of annotators')
    const rows = Array.from({ length: 600 }, (_, i) => {
      const gap = random.normal() * 4
      // One scorer is right beyond its gap, the other one lapses in a third of the pairs.
      const lapses = i % 2 === 1 && random.next() < 0.3
      const up = random.next() < sigmoid(gap) !== lapses
      const says = (annotator: string, e: number) => {
        const [better, worse] = random.next() < e === up ? [1, 0] : [0, 1]
        return { better, worse, count: 1, annotator }
      }
      const votes = [says('good', 0.05), says('poor', 0.35)]
      return { gap, example: example(2, [[0, 1]], { id: `${i}`, prompt: `q ${i}`, votes }) }
    })
    const examples = rows.map((row) => row.example)
    const shifts = (first: number) =>
      calibrateFolds(
        {
          examples,
          rewards: rows.map(({ gap }) => [gap, 0]),
          votes: poolVotes(examples),
          foldOf: (i) => (i + first) % 2,
        },
        {},
      )[0].annotators!
    for (const name of ['good', 'poor']) expect(shifts(0)[name]).toBeCloseTo(shifts(1)[name], 3)
  })

  test('a careless annotator counts less than a careful one', () => {
    const random = createRandom('annotators')
    const pairs = Array.from({ length: 400 }, () => {
      const gap = random.normal() * 2
      const truth = random.next() < sigmoid(gap)
      const by = new Map<string, [number, number]>()
      for (const [name, e] of [
        ['good', 0.05],
        ['poor', 0.4],
      ] as const)
        by.set(name, random.next() < e !== truth ? [1, 0] : [0, 1])
      const [up, down] = [0, 1].map((k) => [...by.values()].reduce((sum, counts) => sum + counts[k], 0))
      return { gap, votes: { first: 0, second: 1, up, down, by } }
    })
    const scale = { temperature: 1, labelError: 0.2 }
    const annotators = annotatorShifts([{ pairs, scale }], scale.labelError)!
    const error = (name: string) => sigmoid(Math.log(0.2 / 0.8) + annotators[name])
    expect(Math.abs(error('good') - 0.05)).toBeLessThan(0.05)
    expect(Math.abs(error('poor') - 0.4)).toBeLessThan(0.07)
    const split = {
      first: 0,
      second: 1,
      up: 1,
      down: 1,
      by: new Map([
        ['good', [1, 0]],
        ['poor', [0, 1]],
      ] as const),
    }
    expect(votesLogit(split, scale)).toBe(0)
    expect(votesLogit(split, { ...scale, annotators })).toBeGreaterThan(1)
    const unnamed = [{ gap: 1, votes: { first: 0, second: 1, up: 1, down: 0 } }]
    expect(annotatorShifts([{ pairs: unnamed, scale }], scale.labelError)).toBeUndefined()
  })

  test('labels that are given as never wrong are so of named annotators, too', () => {
    const examples = Array.from({ length: 200 }, (_, i) =>
      example(2, [[0, 1]], { prompt: `p${i}`, votes: [vote(0, 1, 1, i % 2 ? 'ann' : 'bob')] }),
    )
    const rewards = examples.map((_, i) => [i % 5 ? 1 : -1, 0])
    const { lists } = rescoreLists({
      examples,
      rewards,
      options: { rank: rankDefaults, calibrate: { labelError: 0 } },
    })
    for (const { labels } of lists) expect(labels[0]).toMatchObject({ verdict: 'kept', belief: 1 })
  })
})

describe('what is not known', () => {
  const votes = [{ first: 0, second: 1, up: 1, down: 0 }]

  test('a lapse bounds what a reward can say', () => {
    expect(rewardLogit(1e9, { temperature: 1, labelError: 0.2, lapse: 0.1 })).toBeCloseTo(Math.log(9), 9)
    expect(rewardLogit(-3, { temperature: 1, labelError: 0.2, lapse: 0.1 })).toBeCloseTo(
      Math.log((0.1 + 0.8 * sigmoid(-3)) / (0.9 - 0.8 * sigmoid(-3))),
      12,
    )
  })

  test('a belief is the least of the plausible ones, and a coin where they differ; the label then stands', () => {
    const plausible = [
      { temperature: 1, labelError: 0.05 },
      { temperature: 1, labelError: 0.4 },
    ]
    const scale = { ...plausible[0], plausible, reverseBelow: 0 }
    // Agreement: the higher e says less. ln(0.6 / 0.4) + 2.
    expect(cautiousBeliefs([2, 0], votes, scale, 'posterior')[0][1]).toBeCloseTo(
      sigmoid(2 + Math.log(1.5)),
      12,
    )
    expect(cautiousBeliefs([-2, 0], votes, scale, 'posterior')[0][1]).toBe(0.5)
    const [list] = rankLists([example(2, [[0, 1]])], [[-2, 0]], rankDefaults, () => scale)
    expect(list.order).toEqual([0, 1])
    expect(list.labels[0]).toMatchObject({ verdict: 'doubtful', belief: 0.5 })
    // Where the average decides otherwise, it is reversed, and nothing rests on it.
    const [other] = rankLists([example(2, [[0, 1]])], [[-9, 0]], rankDefaults, () => ({
      ...plausible[1],
      plausible: [...plausible, { temperature: 1e9, labelError: 0.05 }],
    }))
    expect(other.order).toEqual([1, 0])
    expect(other.labels[0].verdict).toBe('reversed')
    expect(other.pairs[0].weight).toBe(0)
  })

  test('one scale alone gives the posterior of that scale', () => {
    const scale = { temperature: 2, labelError: 0.25 }
    expect(cautiousBeliefs([-3, 0], votes, scale, 'posterior')).toEqual(
      beliefs([-3, 0], votes, scale, 'posterior'),
    )
  })

  test('labels are reversed while no possible scale loses more than the cap in expectation', () => {
    const pairs = [-4, -3, -2.5, -2].map((gap) => ({ gap, votes: votes[0] }))
    const kept = Array.from({ length: 96 }, () => ({ gap: 3, votes: votes[0] }))
    const average = { temperature: 1, labelError: 0.3 }
    const possible = [average, { temperature: 1, labelError: 0.002 }]
    const limit = (cap: number) => reversalLimit([{ pairs: [...pairs, ...kept], average, possible }], cap)
    const belief = (gap: number) => sigmoid(gap + Math.log(0.7 / 0.3))
    // Nearly perfect labels lose 0.80, 0.92, 0.95 and 0.97 of a label with each of the four, of 100.
    expect(limit(0)).toBeCloseTo(belief(-4), 12)
    expect(limit(0.01)).toBeCloseTo(belief(-3), 12)
    expect(limit(0.02)).toBeCloseTo(belief(-2.5), 12)
    expect(limit(0.05)).toBe(0.5)
  })

  test('with agreement, SFT imitates people’s choice unless it is disbelieved', () => {
    const agreement: RankOptions = { ...rankDefaults, labelSource: 'agreement' }
    const target = (gap: number) =>
      rankLists([example(2, [[0, 1]])], [[-gap, 0]], agreement, () => ({
        temperature: 1,
        labelError: 0.25,
      }))[0].sft.index
    // Beliefs of the label 0.29 and 0.13.
    expect(target(2)).toBe(0)
    expect(target(3)).toBe(1)
  })
})

describe('rescoring without second labels', () => {
  function world(n: number, reward: (right: boolean, random: () => number) => number) {
    const random = createRandom('world')
    const examples = Array.from({ length: n }, (_, i) => example(2, [[0, 1]], { prompt: `q ${i}` }))
    const rewards = examples.map(() => [reward(random.next() < 0.9, () => random.next()), 0])
    return rescoreLists({ examples, rewards, options: { rank: { ...rankDefaults, labelSource: 'auto' } } })
  }

  test('no label is reversed, whatever the reward says, and the sentence says why', () => {
    const { lists, audit } = world(250, (right, random) => (right ? 1 : -1) * 4 * random())
    expect(lists.every(({ order }) => order[0] === 0)).toBe(true)
    expect(audit.labelSource).toBe('agreement')
    expect(audit.expected!.sentence).toMatch(/no label is reversed.*clha relabel/)
    expect(audit.warnings).toEqual([])
  })

  test('a scorer of the opposite is called that, and one that says nothing a coin', () => {
    const codes = (reward: Parameters<typeof world>[1]) =>
      world(250, reward).audit.warnings.map(({ code }) => code)
    expect(codes((right, random) => (right ? -1 : 1) * random())).toContain('reversed_reward')
    expect(codes((_, random) => random() - 0.5)).toContain('useless_reward')
  })
})

test('the expected gain in a sentence', () => {
  const end = (labels: number, order: number, possible: number) => ({
    labelError: 0,
    labels,
    reward: 0.6,
    order,
    possible,
  })
  const sentence = (low: ReturnType<typeof end>, high: ReturnType<typeof end>, determined = true) =>
    expectedSentence({ pairs: 100, low, high }, determined)
  expect(sentence(end(0.9, 0.9, 0.902), end(0.8, 0.8, 0.803))).toMatch(/can't improve/)
  expect(sentence(end(0.8, 0.81, 0.82), end(0.7, 0.73, 0.74))).toContain('1.0 points to 3.0 points')
  expect(sentence(end(0.8, 0.81, 0.82), end(0.8, 0.81, 0.82))).toMatch(/by 1\.0 points$/)
  expect(sentence(end(0.99, 0.99, 0.99), end(0.7, 0.7, 0.76), false)).toContain('up to 6.0 points')
})

test('length-driven rewards, copies and repeated prompts are warned of', () => {
  const share = (count: number, total: number) => ({
    count,
    total,
    share: count / total,
    interval: [0, 1] as [number, number],
  })
  const counts = {
    lists: 100,
    labels: { total: 100, kept: 100, doubtful: 0, reversed: 0 },
    pairs: { total: 100, contrasted: 80, leftAlone: 20, meanWeight: 0.5 },
    gate: 1,
    agreement: share(80, 100),
  }
  const length = {
    unit: 'characters' as const,
    chosenLonger: share(65, 100),
    bestLonger: share(93, 100),
    contrastedLonger: share(74, 80),
    rewardLength: 0.1,
    rewardLengthWithin: 0.2,
  }
  const again = { lists: 100, prompts: 100, pairs: 0, copies: 0, rowsAPair: 1 }
  const codes = (changes: object): AuditWarning['code'][] =>
    auditWarnings({ total: counts, sources: {}, calibrations: [], again, ...changes }).map(({ code }) => code)
  expect(codes({})).toEqual([])
  expect(codes({ length })).toEqual(['length_reward'])
  expect(codes({ length: { ...length, contrastedLonger: share(52, 80) } })).toEqual([])
  expect(codes({ length: { ...length, contrastedLonger: share(52, 80), rewardLengthWithin: 0.95 } })).toEqual(
    ['length_reward'],
  )
  expect(codes({ again: { ...again, prompts: 60, pairs: 30, copies: 30 } })).toEqual([
    'copies',
    'prompts_again',
  ])
  // 53 % of 1,000 pairs may be a coin's, of 3,000 not; three rows a pair are no more pairs.
  const total = {
    ...counts,
    labels: { total: 3000, kept: 3000, doubtful: 0, reversed: 0 },
    agreement: share(1590, 3000),
  }
  expect(codes({ total })).toEqual([])
  expect(codes({ total, again: { ...again, rowsAPair: 3 } })).toEqual(['useless_reward'])
})
