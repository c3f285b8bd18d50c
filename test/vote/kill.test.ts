import { expect, test } from 'vitest'
import { votingUnderKills } from './voters.js'

test('kill -9 while three people vote: every confirmed vote is in the file, and none twice', async () => {
  const { rows, confirmed, kills } = await votingUnderKills(['ann', 'bob', 'carl'], 20, 25)
  expect(kills).toBe(2)
  expect([...confirmed.values()].map((tasks) => tasks.size)).toEqual([20, 20, 20])
  expect(rows).toHaveLength(60)
  expect(new Set(rows.map(({ rater, item }) => `${rater} ${item}`)).size).toBe(60)
})
