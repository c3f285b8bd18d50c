import { describe, expect, test } from 'vitest'
import { auditReport } from '../../src/rescore/audit.js'
import { rankLists } from '../../src/rescore/rank.js'
import { sigmoid } from '../../src/statistics/statistics.js'
import { example, rank, scale, three } from './helpers.js'

describe('audit', () => {
  test('labels, pairs and agreement are counted in total and per source', () => {
    const report = auditReport(three(), [])
    expect(report.total.labels).toEqual({ total: 3, kept: 1, doubtful: 1, reversed: 1 })
    expect(report.total.agreement).toMatchObject({ count: 1, total: 3 })
    expect(report.sources.a.labels).toEqual({ total: 2, kept: 1, doubtful: 1, reversed: 0 })
    expect(report.sources.b.labels.reversed).toBe(1)
    // Beliefs 0.957, 0.668 and 0.711: one pair is above 0.8.
    expect(report.total.pairs).toMatchObject({ total: 3, contrasted: 1, leftAlone: 2 })
    expect(report.total.pairs.meanWeight).toBeCloseTo((2 * sigmoid(2 + Math.log(3)) - 1) / 3, 12)
    expect(report.threshold).toMatchObject({ value: 3, kept: { count: 2, total: 3 } })
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  })

  test('the labels worth reading come with prompt, answers, rewards and belief, and no more than asked for', () => {
    const report = auditReport(three(), [])
    expect(report.reversed).toHaveLength(1)
    expect(report.reversed[0]).toMatchObject({
      id: 'reversed',
      preferred: { text: 'long answer', reward: 0 },
      other: { text: 'x', reward: 4 },
    })
    expect(report.reversed[0].belief).toBeCloseTo(sigmoid(-2 + Math.log(3)), 12)
    expect(report.doubtful.map((d) => d.id)).toEqual(['doubtful'])
    expect(auditReport(three(), [], { examples: 0 }).reversed).toEqual([])
  })

  test('length bias before and after, by hand', () => {
    const { length } = auditReport(three(), [])
    expect(length.chosenLonger).toMatchObject({ count: 2.5, total: 3 })
    expect(length.bestLonger).toMatchObject({ count: 1.5, total: 3 })
    expect(length.contrastedLonger).toMatchObject({ count: 1, total: 1 })
    expect(length.rewardLengthWithin).toBeLessThan(0)
  })

  test('histograms hold each answer of a label once, and best and worst of each list', () => {
    const { before, after } = auditReport(three(), []).histograms
    const sum = (x: number[]) => x.reduce((a, b) => a + b, 0)
    expect([before.better, before.worse, after.better, after.worse].map(sum)).toEqual([3, 3, 3, 3])
    expect(before.edges[0]).toBe(0)
    expect(before.edges.at(-1)).toBe(4)
    expect([before.better.at(-1), before.worse.at(-1), after.better.at(-1), after.worse.at(-1)]).toEqual([
      1, 1, 2, 0,
    ])
  })

  test('a card says of its own label whether it was reversed, beside one whose votes cancel', () => {
    const votes = [
      { better: 0, worse: 1, count: 1 },
      { better: 1, worse: 0, count: 1 },
      { better: 2, worse: 1, count: 2 },
    ]
    const human = [
      [0, 1],
      [0, 2],
      [1, 2],
    ]
    const lists = rankLists([example(3, human, { votes })], [[0, 9, 9]], rank, scale)
    // 0 over 2 was reversed; 1 over 2 was, and two votes turned it back.
    const { reversed, doubtful } = auditReport(lists, [], { truth: () => [false, true, true] })
    expect(reversed).toMatchObject([{ preferred: { text: 'answer 0' }, trulyReversed: true }])
    expect(doubtful).toEqual([])
    const other = auditReport(rankLists([example(3, human, { votes })], [[0, 9, 0]], rank, scale), [], {
      truth: () => [false, true, true],
    })
    expect(other.reversed).toMatchObject([
      { preferred: { text: 'answer 2' }, other: { text: 'answer 1' }, trulyReversed: false },
    ])
  })

  test('against a known truth: precision, recall, confusion and what is right before and after', () => {
    const { truth } = auditReport(three(), [], { truth: (list) => [list.example.id !== 'kept'] })
    expect(truth!.precision).toMatchObject({ count: 1, total: 1 })
    expect(truth!.recall).toMatchObject({ count: 1, total: 2 })
    expect(truth!.labelsRight).toMatchObject({ count: 1, total: 3 })
    expect(truth!.orderRight).toMatchObject({ count: 2, total: 3 })
    expect(truth!.confusion).toEqual({
      kept: { right: 1, wrong: 0 },
      doubtful: { right: 0, wrong: 1 },
      reversed: { right: 0, wrong: 1 },
    })
  })

  test('almost no pair left is a loud warning with what to do; enough pairs are none', () => {
    const lists = (gap: number) =>
      rankLists(
        Array.from({ length: 40 }, () => example(2)),
        Array.from({ length: 40 }, () => [gap, 0]),
        rank,
        scale,
      )
    const [warning, ...rest] = auditReport(lists(0.1), []).warnings
    expect(rest).toEqual([])
    expect(warning.code).toBe('few_pairs')
    expect(warning.message).toContain('Only 0.0 % of the pairs')
    expect(warning.hint).toContain('threshold')
    expect(auditReport(lists(9), []).warnings).toEqual([])
  })

  test('a single source without pairs is named', () => {
    const row = (source: string) => example(2, [], { source })
    const lists = rankLists(
      [row('good'), row('poor')],
      [
        [9, 0],
        [0.1, 0],
      ],
      rank,
      scale,
    )
    expect(auditReport(lists, []).warnings.map((w) => w.message)).toEqual([
      expect.stringContaining('of poor'),
    ])
  })

  test('a reward that agrees with the labels no better than a coin is a warning', () => {
    const examples = Array.from({ length: 60 }, (_, i) => example(2, [i % 2 ? [0, 1] : [1, 0]]))
    const lists = rankLists(
      examples,
      examples.map(() => [9, 0]),
      rank,
      scale,
    )
    expect(auditReport(lists, []).warnings.map((w) => w.code)).toEqual(['useless_reward'])
  })

  test('where labels alone decide already, advice on a poor reward is about the gate', () => {
    const prompts = Array.from({ length: 60 }, (_, i) => example(2, [i % 2 ? [0, 1] : [1, 0]]))
    const examples = prompts.map((one) => ({ ...one, candidates: [{ text: 'long' }, { text: 's' }] }))
    // 9 for the longer answer, so that the reward is a reward for length as well.
    const rewards = examples.map((_, i) => [9 + (i % 3), 0])
    const advice = (labelSource: 'human' | 'posterior') =>
      auditReport(rankLists(examples, rewards, { ...rank, labelSource }, scale), [], { labelSource })
        .warnings.map(({ code, hint }) => `${code}: ${hint}`)
        .join('\n')
    expect(advice('posterior')).toMatch(/useless_reward: Use the labels alone/)
    expect(advice('human')).toMatch(/useless_reward: Labels alone order .*`sft_gate: off`/)
    expect(advice('human')).not.toMatch(/(Use|or) the labels alone/)
  })

  test('no lists and lists without labels give a report without numbers out of nothing', () => {
    expect(auditReport([], []).total).toMatchObject({ lists: 0, gate: null, agreement: { share: null } })
    const unlabelled = auditReport(rankLists([example(1)], [[1]], rank, scale), [])
    expect(unlabelled.total.pairs.meanWeight).toBeNull()
    expect(unlabelled.warnings).toEqual([])
  })
})
