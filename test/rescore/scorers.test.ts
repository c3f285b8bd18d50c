import { describe, expect, test } from 'vitest'
import type { Example } from '../../src/data/example.js'
import { createRandom } from '../../src/random.js'
import { scorersTable } from '../../src/report/audit-tables.js'
import { renderAuditReport } from '../../src/report/render.js'
import { rankDefaults } from '../../src/rescore/rank.js'
import { rescoreLists } from '../../src/rescore/rescore.js'
import { combineScores } from '../../src/rescore/scorers/combine.js'
import { meanScores } from '../../src/rescore/scorers/mean-scores.js'
import { fitWeights } from '../../src/rescore/scorers/scorer-weights.js'
import { poolVotes } from '../../src/rescore/votes.js'
import { example } from './helpers.js'

/** A pair whose label prefers the first answer; the second answer is `longer` characters longer. */
const pair = (i: number, longer = 0, prompt = `question ${i}`): Example =>
  example(2, [[0, 1]], {
    id: String(i),
    prompt,
    candidates: [{ text: 'a'.repeat(100) }, { text: 'b'.repeat(100 + longer) }],
    row: i + 1,
  })

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

/** Labels of people who err in 10 %, with the gaps of four scorers in their favour. */
function simulated(n: number) {
  const random = createRandom('scorers')
  const gaps = Array.from({ length: n }, () => {
    const [good, fair] = [random.normal() * 2, random.normal()]
    const first = random.next() < sigmoid(good + fair)
    const sign = first === random.next() >= 0.1 ? 1 : -1
    const longer = Math.round(30 * random.normal())
    return {
      good: sign * good,
      fair: 10 * sign * fair,
      coin: random.normal(),
      against: -sign * good + 0.3 * random.normal(),
      longer,
    }
  })
  return { gaps, examples: gaps.map(({ longer }, i) => pair(i, -longer)) }
}

const N = 800
const { gaps, examples } = simulated(N)
const scoresOf = (...names: ('good' | 'fair' | 'coin' | 'against' | 'longer')[]) =>
  gaps.map((gap) => Object.fromEntries(names.map((name) => [name, [gap[name], 0]])))
const rescored = (scores: ReturnType<typeof scoresOf>) =>
  rescoreLists({
    examples,
    scores,
    rewards: meanScores(examples, scores),
    options: { rank: { ...rankDefaults, labelSource: 'auto' } },
  })

describe('several scorers', () => {
  test('count by what labels say of them, whatever their units, and tell more than the best alone', () => {
    const { audit } = rescored(scoresOf('good', 'fair', 'coin'))
    const [good, fair, coin] = audit.scorers!
    // The truth: a median gap of `good` is worth twice one of `fair`, and one of `coin` nothing.
    expect(good.weight).toBeGreaterThan(0.5)
    expect(fair.weight).toBeGreaterThan(0.15)
    expect(coin.weight).toBeLessThan(0.1)
    expect(good.weight + fair.weight + coin.weight).toBeCloseTo(1, 12)
    const table = scorersTable(audit.scorers!)
    expect(table.rows.map(([name]) => name)).toEqual(['good', 'fair', 'coin'])
    expect(table.rows.map((row) => row.length)).toEqual([5, 5, 5])
    expect(renderAuditReport(audit)).toContain('correlation with length')
    const alone = gaps.filter((gap) => gap.good > 0).length / N
    expect(audit.total.agreement.share!).toBeGreaterThan(alone)
    expect(audit.warnings.filter(({ code }) => code === 'idle_scorer').map(({ message }) => message)).toEqual(
      [expect.stringMatching(/^coin adds nothing/)],
    )
  })

  test('one that is turned round counts for nothing, and is named; so is length in disguise', () => {
    const { audit } = rescored(scoresOf('good', 'against', 'longer'))
    expect(audit.scorers![1].weight).toBe(0)
    const named = (code: string) =>
      audit.warnings.filter((w) => w.code === code).map(({ message }) => message.split(' ')[0])
    expect(named('reversed_reward')).toEqual(['against'])
    expect(named('length_reward')).toContain('longer')
  })

  test('the labels of a prompt have no say in what its own answers get', () => {
    const scores = scoresOf('good', 'fair')
    const before = combineScores(examples, scores, poolVotes(examples)).rewards
    const turned = examples.map((e, i) => (i === 7 ? { ...e, preferences: [{ better: 1, worse: 0 }] } : e))
    const after = combineScores(turned, scores, poolVotes(turned)).rewards
    expect(after[7]).toEqual(before[7])
    expect(after).not.toEqual(before)
  })

  test('where they disagree the gap is drawn in by 1 / sqrt(1 + pi v / 8)', () => {
    // Mirrored twins in one prompt: both scorers weigh the same.
    const random = createRandom('twins')
    const other = (i: number, prompt: string) => ({
      ...pair(i, 0, prompt),
      candidates: ['c', 'd'].map((letter) => ({ text: letter.repeat(100) })),
    })
    const rows = Array.from(
      { length: 400 },
      (_, i) => [Math.abs(random.normal()) + 0.1, random.normal() * 0.4, i] as const,
    )
    const labelled = rows.flatMap(([a, b, i]) => [
      { example: pair(2 * i, 0, `twin ${i}`), scores: { x: [a, 0], y: [b, 0] } },
      { example: other(2 * i + 1, `twin ${i}`), scores: { x: [b, 0], y: [a, 0] } },
    ])
    const asked = [
      { x: [1, 0], y: [1, 0] },
      { x: [3, 0], y: [-1, 0] },
      { x: [-1, 0], y: [3, 0] },
    ].map((scores, k) => ({ example: { ...pair(9000 + k, 0, 'asked'), preferences: [] }, scores }))
    const all = [...labelled, ...asked]
    const list = all.map((one) => one.example)
    const { rewards, scorers } = combineScores(
      list,
      all.map((one) => one.scores),
      poolVotes(list),
    )
    expect(scorers[0].weight).toBeCloseTo(0.5, 4)
    const gap = (k: number) => rewards[800 + k][0] - rewards[800 + k][1]
    // Together they say G twice; apart, one says 3 G and the other -G: mean G, variance 4 G^2, of a mean of two 2 G^2.
    expect(gap(1)).toBeCloseTo(gap(0) / Math.sqrt(1 + (Math.PI / 8) * 2 * gap(0) ** 2), 3)
  })
})

test('weights are a maximum of the likelihood, written out here, and e may be given', () => {
  const column = (of: (gap: (typeof gaps)[number]) => number) => Float64Array.from(gaps, of)
  const ones = new Float64Array(N).fill(1)
  const data = {
    up: ones,
    down: new Float64Array(N),
    weight: ones,
    length: column(({ longer }) => longer / 100),
    gaps: [column(({ good }) => good), column(({ fair }) => fair / 10)],
  }
  const found = fitWeights(data, { use: [true, true], labelError: 0.1, together: 0 })
  const likelihood = (a: number, b: number, c: number, lapse: number) =>
    gaps.reduce((sum, gap, i) => {
      const s = lapse + (1 - 2 * lapse) * sigmoid(a * gap.good + (b * gap.fair) / 10 + c * data.length[i])
      return sum + Math.log(0.1 + 0.8 * s)
    }, 0)
  const [a, b] = found.weights
  const best = (x: number, y: number, z: number) =>
    Math.max(...Array.from({ length: 61 }, (_, k) => likelihood(x, y, z, k / 300)))
  expect(Math.abs(best(a, b, found.length) - found.value)).toBeLessThan(0.02)
  for (const [da, db, dc] of [
    [0.1, 0, 0],
    [-0.1, 0, 0],
    [0, 0.1, 0],
    [0, -0.1, 0],
    [0, 0, 0.3],
    [0, 0, -0.3],
  ])
    expect(best(a + da, b + db, found.length + dc)).toBeLessThan(found.value + 0.001)
})
