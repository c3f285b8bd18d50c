import { describe, expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { UNSEEN } from '../../src/rescore/calibrate.js'
import { legacyDefaults, type RankOptions } from '../../src/rescore/rank.js'
import type { RankedList } from '../../src/rescore/ranked.js'
import { rescoreLists } from '../../src/rescore/rescore.js'
import { sigmoid } from '../../src/statistics/statistics.js'
import { example, rank } from './helpers.js'

describe('rescoring as a whole', () => {
  const votes = (better: number) => ({ better, worse: 1 - better, count: 1 })

  /** Two folds scored in units 1 and 20; a quarter of the labels is turned round; 1,000 pairs are labelled twice. */
  function world(n: number) {
    const random = createRandom('rescore')
    const reversed = new Map<string, boolean>()
    const rows = Array.from({ length: n }, (_, i) => {
      const [a, b] = [random.normal() * 2, random.normal() * 2]
      const better = random.next() < sigmoid(a - b) ? 0 : 1
      const wrong = random.next() < 0.25
      const chosen = wrong ? 1 - better : better
      reversed.set(`${i}`, wrong)
      const unit = i % 2 ? 20 : 1
      return {
        example: example(2, [[chosen, 1 - chosen]], {
          id: `${i}`,
          prompt: `question ${i}`,
          ...(i < 1000 && { votes: [votes(chosen), votes(random.next() < 0.25 ? 1 - better : better)] }),
        }),
        rewards: [a * unit, b * unit],
        fold: i % 2,
        better,
      }
    })
    return { rows, reversed }
  }

  test('each fold gets its own T and the common e; the posterior repairs labels and beats the reward alone', () => {
    const { rows, reversed } = world(6000)
    const run = (labelSource: RankOptions['labelSource']) =>
      rescoreLists({
        examples: rows.map((r) => r.example),
        rewards: rows.map((r) => r.rewards),
        folds: rows.map((r) => r.fold),
        options: {
          rank: { ...rank, labelSource },
          audit: { truth: (l) => [reversed.get(l.example.id)!] },
        },
      })
    const { lists, calibrations, audit } = run('posterior')
    expect(calibrations.map((c) => c.fold)).toEqual([0, 1])
    expect(Math.abs(calibrations[0].temperature - 1)).toBeLessThan(0.25)
    expect(Math.abs(calibrations[1].temperature - 20)).toBeLessThan(5)
    for (const c of calibrations) expect(Math.abs(c.labelError - 0.25)).toBeLessThan(0.04)
    expect(calibrations[0].labelErrorInterval).toEqual(calibrations[1].labelErrorInterval)
    expect(calibrations[0]).toMatchObject({ determined: true, votes: { pairs: 1000, compared: 1000 } })
    expect(lists[1].rewards).toEqual(rows[1].rewards)
    const right = (ls: RankedList[]) => ls.filter((l, i) => l.order[0] === rows[i].better).length / ls.length
    expect(right(lists)).toBeGreaterThan(right(run('reward').lists))
    expect(right(lists)).toBeGreaterThan(0.77)
    expect(audit.truth!.precision.share).toBeGreaterThan(0.5)
    expect(audit.truth!.orderRight.share).toBeCloseTo(right(lists), 12)
    expect(audit.calibrations).toEqual(calibrations)
    expect(audit.warnings).toEqual([])
  })

  test('a reward that is not finite is told with its row, before anything is fitted', () => {
    const run = (rewards: number[][]) => () =>
      rescoreLists({ examples: [example(2, [[0, 1]])], rewards, options: { rank } })
    expect(run([[1, Number.NaN]])).toThrow('pairs.jsonl:1: the reward of candidate 1 is NaN')
    expect(run([[1]])).toThrow('pairs.jsonl:1: 1 rewards for 2 candidates')
    expect(run([])).toThrow('0 rows of rewards for 1 examples')
  })

  test('unseen prompts come as r / T: T is 1 and e the mean of the folds', () => {
    const { rows } = world(3000)
    const { calibrations } = rescoreLists({
      examples: rows.map((r) => r.example),
      rewards: rows.map((r, i) => (i < 100 ? r.rewards.map((x) => x / (r.fold ? 20 : 1)) : r.rewards)),
      folds: rows.map((r, i) => (i < 100 ? UNSEEN : r.fold)),
      options: { rank },
    })
    expect(calibrations.map((c) => [c.fold, c.pairs])).toEqual([
      [UNSEEN, 100],
      [0, 1450],
      [1, 1450],
    ])
    expect(calibrations[0].temperature).toBe(1)
    expect(calibrations[0].labelError).toBeCloseTo(
      (calibrations[1].labelError + calibrations[2].labelError) / 2,
      12,
    )
  })

  test('a fold that cannot be calibrated is named', () => {
    const { rows } = world(500)
    const run = () =>
      rescoreLists({
        examples: rows.map((r) => r.example),
        rewards: rows.map((r) => r.rewards),
        folds: rows.map((_, i) => Number(i < 50)),
        options: { rank },
      })
    expect(run).toThrow('calibration of fold 1: 50 labelled pairs')
  })

  test('unlabelled data needs a fixed temperature and nothing else', () => {
    const input = { examples: [example(3)], rewards: [[1, 2, 9]] }
    expect(() => rescoreLists({ ...input, options: { rank } })).toThrow('0 labelled pairs')
    const { lists } = rescoreLists({ ...input, options: { rank, calibrate: { temperature: 1 } } })
    expect(lists[0].order).toEqual([2, 1, 0])
  })

  test('legacy needs no calibration and warns when its threshold leaves nothing', () => {
    const { rows } = world(100)
    const { calibrations, audit, lists } = rescoreLists({
      examples: rows.map((r) => r.example),
      rewards: rows.map((r) => r.rewards.map((x) => x / 100)),
      options: { rank, legacy: legacyDefaults },
    })
    expect(calibrations).toEqual([])
    expect(lists.every((l) => l.rewards[l.order[0]] >= l.rewards[l.order[1]])).toBe(true)
    expect(audit.warnings[0].message).toContain('Only')
    expect(audit.threshold.kept.share).toBe(0)
  })
})
