import * as fs from 'node:fs'
import { expect, test } from 'vitest'
import { standing } from '../../src/verdicts/standing.js'
import { planOf } from '../../src/vote/rater-plan.js'
import { boothOn, itemsOf, systemOf } from './ballots.js'

const shownTexts = (task: { answers: readonly { text: string }[]; places: readonly number[] }) =>
  task.places.map((i) => task.answers[i].text)

test('a plan holds every item once, in an order of its own, and repeats much later', () => {
  const plan = planOf(40, 'ann', 0.1)
  expect(
    plan
      .filter(({ nth }) => nth === 0)
      .map(({ item }) => item)
      .sort((a, b) => a - b),
  ).toEqual(Array.from({ length: 40 }, (_, i) => i))
  const repeats = plan.filter(({ nth }) => nth === 1)
  expect(repeats).toHaveLength(4)
  for (const { item } of repeats) {
    const [first, again] = [0, 1].map((nth) =>
      plan.findIndex((entry) => entry.item === item && entry.nth === nth),
    )
    expect(again - first).toBeGreaterThanOrEqual(20)
  }
  expect(planOf(40, 'ann', 0.1)).toEqual(plan)
  expect(planOf(40, 'bob', 0.1)).not.toEqual(plan)
  expect(planOf(5, 'ann', 0.5)).toHaveLength(5)
})

test('a vote is a row that names the systems, whichever side they stood on', () => {
  const { booth, restart } = boothOn(itemsOf(20, ['plain', 'tuned']))
  // Ann always prefers the second system.
  for (let n = 0; n < 20; n++) {
    const [task] = booth().view('ann').tasks
    const first = systemOf(shownTexts(task)[0]) === 1
    expect(booth().vote('ann', task.id, { ranks: first ? [1, 2] : [2, 1] }, { milliseconds: 5 })).toBe(
      'taken',
    )
  }
  expect(booth().view('ann')).toMatchObject({ done: 20, total: 20, tasks: [] })
  const rows = restart()
  expect(rows).toHaveLength(20)
  expect(
    rows.every(
      ({ verdict, systems, kind }) => verdict === 'b' && systems[1] === 'tuned' && kind === 'person',
    ),
  ).toBe(true)
  const ab = rows.filter(({ shown }) => shown === 'ab').length
  expect(ab).toBeGreaterThan(3)
  expect(ab).toBeLessThan(17)
})

test('sides are drawn for each rater and item', () => {
  const { booth } = boothOn(itemsOf(1, ['a', 'b']))
  const firsts = Array.from({ length: 40 }, (_, n) => shownTexts(booth().view(`rater ${n}`).tasks[0])[0])
  expect(new Set(firsts).size).toBe(2)
})

test('the next tasks are handed out ahead, and a restart goes on where it was', () => {
  const { booth, restart } = boothOn(itemsOf(6, ['a', 'b']))
  const { tasks } = booth().view('ann')
  expect(tasks).toHaveLength(3)
  booth().vote('ann', tasks[0].id, { ranks: [1, 1] }, {})
  booth().vote('ann', tasks[1].id, { all: 'skip' }, {})
  restart()
  const after = booth().view('ann')
  expect(after).toMatchObject({ done: 2, total: 6, last: tasks[1].id })
  expect(after.tasks[0].id).toBe(tasks[2].id)
  expect(booth().view('bob')).toMatchObject({ done: 0, total: 6 })
})

test('the same vote again is known, another one is a conflict, a strange one unknown', () => {
  const { booth, restart } = boothOn(itemsOf(3, ['a', 'b']))
  const [{ id }] = booth().view('ann').tasks
  booth().vote('ann', id, { ranks: [1, 2] }, {})
  restart()
  expect(booth().vote('ann', id, { ranks: [1, 2] }, {})).toBe('known')
  expect(booth().vote('ann', id, { ranks: [2, 1] }, {})).toBe('conflict')
  expect(booth().vote('bob', id, { ranks: [2, 1] }, {})).toBe('unknown')
  expect(restart()).toHaveLength(1)
})

test('undo brings the last task back, as it stood; both rows stay in the file', () => {
  const { booth, restart } = boothOn(itemsOf(4, ['a', 'b']))
  const [one, two] = booth().view('ann').tasks
  booth().vote('ann', one.id, { ranks: [1, 2] }, { comment: 'hm' })
  booth().vote('ann', two.id, { all: 'both_bad' }, {})
  expect(booth().undo('ann', one.id)).toBe('conflict')
  expect(booth().undo('ann', two.id)).toBe('taken')
  expect(booth().undo('ann', two.id)).toBe('known')
  restart()
  expect(booth().view('ann')).toMatchObject({ done: 1, last: one.id })
  expect(booth().view('ann').tasks[0]).toMatchObject({ id: two.id, places: two.places })
  booth().vote('ann', two.id, { ranks: [2, 2] }, {})
  const rows = restart()
  expect(rows.map(({ verdict }) => verdict)).toEqual([
    expect.stringMatching(/^[ab]$/),
    'both_bad',
    'undo',
    'tie',
  ])
  expect(rows[0].comment).toBe('hm')
  expect(standing(rows)).toMatchObject({ judged: [{}, { verdict: 'tie' }], undone: 1 })
})

test('a repeat shows the same answers the other way round', () => {
  const { booth } = boothOn(itemsOf(20, ['a', 'b', 'c']), { repeats: 0.2 })
  const seen = new Map<number, string[]>()
  let repeats = 0
  for (;;) {
    const [task] = booth().view('ann').tasks
    if (!task) break
    const texts = shownTexts(task)
    if (task.nth === 1) {
      repeats++
      expect(texts).toEqual(seen.get(task.item)?.toReversed())
    }
    seen.set(task.item, texts)
    booth().vote('ann', task.id, { ranks: [1, 2] }, {})
  }
  expect(repeats).toBe(4)
})

test('a prompt that was passed does not come again, unless that is taken back', () => {
  const { booth } = boothOn(itemsOf(10, ['a', 'b']), { repeats: 0.5 })
  const seen: number[] = []
  const [first] = booth().view('ann').tasks
  for (let [task] = booth().view('ann').tasks; task !== undefined; [task] = booth().view('ann').tasks) {
    seen.push(task.item)
    booth().vote('ann', task.id, task.item === first.item ? { all: 'skip' } : { ranks: [1, 2] }, {})
  }
  expect(seen.filter((item) => item === first.item)).toHaveLength(1)
  expect(seen).toHaveLength(14)
  expect(booth().view('ann')).toMatchObject({ done: 15, total: 15 })
  const [passed] = booth().view('bob').tasks
  booth().vote('bob', passed.id, { all: 'skip' }, {})
  booth().undo('bob', passed.id)
  expect(booth().view('bob').tasks[0].id).toBe(passed.id)
})

test('of three systems the pair that is known least is asked next', () => {
  const { booth, restart } = boothOn(itemsOf(90, ['weak', 'fine', 'good']))
  // The weak one always loses; the other two are even.
  let coin = 0
  for (let n = 0; n < 90; n++) {
    const [task] = booth().view('ann').tasks
    const [x, y] = shownTexts(task).map(systemOf)
    const better = x === 0 ? 2 : y === 0 ? 1 : 1 + (coin++ % 2)
    booth().vote('ann', task.id, { ranks: better === 1 ? [1, 2] : [2, 1] }, {})
  }
  const counts = new Map<string, number>()
  for (const { systems } of restart()) counts.set(systems.join(), (counts.get(systems.join()) ?? 0) + 1)
  expect(counts.get('fine,good')).toBeGreaterThan(counts.get('weak,good') ?? 0)
  expect(counts.get('fine,good')).toBeGreaterThan(counts.get('weak,fine') ?? 0)
  expect(counts.get('weak,good')).toBeGreaterThan(10)
})

test('after a restart a page may still hand in the pair that it was given', () => {
  const { booth, restart } = boothOn(itemsOf(10, ['a', 'b', 'c']))
  const { tasks } = booth().view('ann')
  restart()
  for (const { id } of tasks) expect(booth().vote('ann', id, { ranks: [1, 2] }, {})).toBe('taken')
})

test('a ranking is a row for every two answers; what a kill left of one is taken back and asked again', () => {
  const { booth, restart, path } = boothOn(itemsOf(3, ['a', 'b', 'c', 'd']), { mode: 'rank' })
  const [task] = booth().view('ann').tasks
  // Best is the last place, then the first; the two between are equal.
  booth().vote('ann', task.id, { ranks: [2, 3, 3, 1] }, {})
  const rows = restart()
  expect(rows).toHaveLength(6)
  const rank = (system: string) => [2, 3, 3, 1][task.places.indexOf('abcd'.indexOf(system))]
  for (const { systems, verdict } of rows)
    expect(verdict).toBe(
      rank(systems[0]) === rank(systems[1]) ? 'tie' : rank(systems[0]) < rank(systems[1]) ? 'a' : 'b',
    )
  const lines = fs.readFileSync(path, 'utf8').split('\n')
  fs.writeFileSync(path, `${lines.slice(0, -3).join('\n')}\n`)
  restart()
  expect(booth().view('ann')).toMatchObject({ done: 0, total: 3 })
  booth().vote('ann', task.id, { ranks: [1, 2, 3, 4] }, {})
  expect(standing(restart()).judged).toHaveLength(6)
  booth().undo('ann', task.id)
  expect(standing(restart()).judged).toHaveLength(0)
})

test('a known better answer is in the row, whatever was voted', () => {
  const [item] = itemsOf(1, ['gold, better', 'gold, worse'])
  const { booth, restart } = boothOn([{ ...item, gold: 'a' }])
  const [task] = booth().view('ann').tasks
  booth().vote('ann', task.id, { ranks: [1, 1] }, {})
  expect(restart()).toMatchObject([{ verdict: 'tie', gold: 'a' }])
})
