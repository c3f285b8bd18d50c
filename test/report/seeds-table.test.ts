import { expect, test } from 'vitest'
import { seedsTable } from '../../src/report/tables.js'

test('every seed is written with the digits of the mean', () => {
  const seeds = [42, 43, 44]
  const values = [0.438, 0.2833, -0.125]
  const { columns, rows } = seedsTable({
    seeds,
    rows: [
      { system: 'sft', metric: 'true reward', mean: { value: 0.2 }, values },
      { system: 'sft', metric: 'length', mean: { value: 16 }, values: [15.73, 16, 17.51] },
    ],
  })
  expect(columns.slice(3).map(({ label }) => label)).toEqual(['seed 42', 'seed 43', 'seed 44'])
  expect(rows[0].slice(2)).toEqual(['+0.20', '+0.44', '+0.28', '−0.13'])
  expect(rows[1].slice(2)).toEqual(['16.0', '15.7', '16.0', '17.5'])
})
