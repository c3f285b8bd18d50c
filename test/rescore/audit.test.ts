import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { auditReport } from '../../src/rescore/audit.js'
import { UNSEEN } from '../../src/rescore/calibrate.js'
import { legacyDefaults, type RankOptions, rankLists } from '../../src/rescore/rank.js'
import type { RankedList } from '../../src/rescore/ranked.js'
import { readRankedJsonl, writeRankedJsonl } from '../../src/rescore/ranked-jsonl.js'
import { rescoreLists } from '../../src/rescore/rescore.js'
import { sigmoid } from '../../src/statistics/statistics.js'
import { example } from './helpers.js'

const rank: RankOptions = {
  labelSource: 'posterior',
  pairWeight: 'soft',
  minConfidence: 0.8,
  sftGate: 'soft',
  gateQuantile: 0.25,
}
const scale = () => ({ temperature: 2, labelError: 0.25 })
const texts = (...t: string[]) => t.map((text) => ({ text }))

/** kept, doubtful, reversed: one label each, in two sources. */
const three = () =>
  rankLists(
    [
      example(2, [[0, 1]], { id: 'kept', source: 'a', candidates: texts('longer', 'short') }),
      example(2, [[1, 0]], { id: 'doubtful', source: 'a', candidates: texts('xx', 'yy') }),
      example(2, [[0, 1]], { id: 'reversed', source: 'b', candidates: texts('long answer', 'x') }),
    ],
    [
      [4, 0],
      [1, 0.2],
      [0, 4],
    ],
    rank,
    scale,
  )

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

describe('rescored JSON lines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'clha-ranked-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const collect = async (path: string) => {
    const out: RankedList[] = []
    for await (const list of readRankedJsonl(path)) out.push(list)
    return out
  }
  const bad = async (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return collect(path).then(
      () => 'read',
      (error: Error) => error.message.replace(folder, ''),
    )
  }

  test('what is written is read back, to the bit', async () => {
    const path = join(folder, 'ranked.jsonl')
    const lists = three()
    lists[0].example.candidates[0].text = 'two\nlines \u2028 한국어'
    expect(await writeRankedJsonl(path, lists)).toBe(3)
    expect(readFileSync(path, 'utf8').split(/[\n\u2028\u2029]/)).toHaveLength(4)
    expect(await collect(path)).toEqual(lists)
  })

  test('a write that fails leaves the old file and no other', async () => {
    const path = join(folder, 'old.jsonl')
    await writeRankedJsonl(path, three())
    const before = readFileSync(path, 'utf8')
    const broken = three()
    broken[2].rewards[0] = Number.NaN
    await expect(writeRankedJsonl(path, broken)).rejects.toThrow(/list reversed can't be written: rewards\.0/)
    expect(readFileSync(path, 'utf8')).toBe(before)
    expect(readdirSync(folder).filter((f) => f.endsWith('.partial'))).toEqual([])
    await expect(writeRankedJsonl(join(folder, 'no', 'where.jsonl'), three())).rejects.toThrow('ENOENT')
  })

  test('a line that is cut, foreign or inconsistent is refused with file and line', async () => {
    const good = JSON.stringify(three()[0])
    const change = (edit: (list: RankedList & Record<string, unknown>) => void) => {
      const list = JSON.parse(good)
      edit(list)
      return JSON.stringify(list)
    }
    expect(await bad('cut.jsonl', `${good}\n${good.slice(0, 50)}`)).toContain('/cut.jsonl:2: not JSON')
    expect(await bad('a.jsonl', '{"chosen":"x"}')).toContain('/a.jsonl:1: example')
    expect(
      await bad(
        'b.jsonl',
        change((l) => l.rewards.push(1)),
      ),
    ).toContain('/b.jsonl:1: rewards: 3 for 2')
    expect(
      await bad(
        'c.jsonl',
        change((l) => (l.order = [0, 0])),
      ),
    ).toContain('/c.jsonl:1: order')
    expect(
      await bad(
        'd.jsonl',
        change((l) => (l.pairs[0].worse = 5)),
      ),
    ).toContain('/d.jsonl:1: pairs.0')
    expect(
      await bad(
        'e.jsonl',
        change((l) => (l.sft.index = 2)),
      ),
    ).toContain('/e.jsonl:1: sft.index')
    expect(
      await bad(
        'f.jsonl',
        change((l) => (l.typo = 1)),
      ),
    ).toContain('/f.jsonl:1:')
    expect(
      await bad(
        'g.jsonl',
        change((l) => (l.pairs[0].belief = 0.2)),
      ),
    ).toContain('/g.jsonl:1: pairs.0.belief')
    expect(await bad('h.jsonl', `${good}\n\n${good}\n`)).toBe('read')
  })

  test('a file that is not there, or is a folder, is said plainly', async () => {
    await expect(collect(join(folder, 'none.jsonl'))).rejects.toMatchObject({
      name: 'ClhaError',
      exitCode: 2,
    })
    await expect(collect(folder)).rejects.toMatchObject({ name: 'ClhaError' })
  })

  test('reading may stop early', async () => {
    const path = join(folder, 'many.jsonl')
    await writeRankedJsonl(
      path,
      Array.from({ length: 2000 }, () => three()[0]),
    )
    let n = 0
    for await (const _ of readRankedJsonl(path)) if (++n === 3) break
    expect(n).toBe(3)
  })
})
