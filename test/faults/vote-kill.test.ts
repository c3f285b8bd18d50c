import { expect, test } from 'vitest'
import { votingUnderKills } from '../vote/voters.js'

test('10,000 votes of five people under repeated kill -9: none lost, none twice', async () => {
  const raters = ['ann', 'bob', 'carl', 'dora', 'emil']
  const { rows, confirmed, kills } = await votingUnderKills(raters, 2000, 500)
  expect(kills).toBeGreaterThanOrEqual(19)
  expect([...confirmed.values()].map((tasks) => tasks.size)).toEqual(raters.map(() => 2000))
  expect(rows).toHaveLength(10_000)
  expect(new Set(rows.map(({ rater, item }) => `${rater} ${item}`)).size).toBe(10_000)
})
