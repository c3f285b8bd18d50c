// How each quantity and each table is written: in the terminal and in reports alike.
import { expect, test } from 'vitest'
import * as n from '../../src/show/numbers.js'
import { numeric, tableLines, tableOf, text } from '../../src/show/table.js'
import { bytes, count, duration, figure, percent, rate, wholePercent } from '../../src/show/units.js'

test('counts have separators and one minus sign, figures three digits', () => {
  expect([41203, 0.6, -1500].map(count)).toEqual(['41,203', '1', '−1,500'])
  expect([0.41234, 12.345, 1e-6, Number.NaN].map(figure)).toEqual(['0.412', '12.35', '1.00e-6', 'NaN'])
})

test('bytes go by thousands, with a decimal below a hundred', () => {
  expect([0, 12, 999, 1500, 23.5e6, 196e6, 1.64e9, 22.9e9].map(bytes)).toEqual([
    '0 B',
    '12 B',
    '999 B',
    '1.5 kB',
    '23.5 MB',
    '196 MB',
    '1.6 GB',
    '22.9 GB',
  ])
})

test('durations have two units at most, days the largest', () => {
  expect([0.42, 38, 47.2, 59.7, 130, 200, 3600, 6540, 7800, 183600, 201600].map(duration)).toEqual([
    '0.4 s',
    '38 s',
    '47 s',
    '1 min',
    '2 min 10 s',
    '3 min 20 s',
    '1 h',
    '1 h 49 min',
    '2 h 10 min',
    '2 d 3 h',
    '2 d 8 h',
  ])
})

test('a share that is not nothing, or not all, never looks like it', () => {
  expect([0, 0.631, 0.0001, 0.0005, 0.9999, 0.9994, 1].map((x) => percent(x))).toEqual([
    '0.0 %',
    '63.1 %',
    '<0.1 %',
    '0.1 %',
    '>99.9 %',
    '99.9 %',
    '100.0 %',
  ])
  expect([0, 0.714, 0.004, 0.0001, 0.9999, 0.996, 1].map((x) => wholePercent(x))).toEqual([
    '0 %',
    '71 %',
    '0.4 %',
    '<0.1 %',
    '>99.9 %',
    '99.6 %',
    '100 %',
  ])
  expect(percent(-0.031)).toBe('−3.1 %')
})

test('rates turn round when one takes longer than two seconds', () => {
  expect([rate(412, 'answers'), rate(9100, 'tokens'), rate(0.08, 'steps'), rate(1.1)]).toEqual([
    '412 answers/s',
    '9.1 k tokens/s',
    '13 s/step',
    '1.1/s',
  ])
})

test('estimates carry one minus sign and one style of interval', () => {
  expect([2.05, -1.318, -0.001].map((x) => n.formatSigned(x))).toEqual(['+2.05', '−1.32', '0.00'])
  expect(n.percentEstimate({ value: 0.84, interval: [0.81, 0.87] })).toBe('84 % (81–87)')
  expect(n.numberEstimate({ value: 0.24, interval: [0.21, 0.27] })).toBe('0.24 (0.21–0.27)')
  expect(n.numberEstimate({ value: 0.1, interval: [-0.1, 0.3] })).toBe('0.10 (−0.10 to 0.30)')
  expect(n.signedEstimate({ value: -1.32, interval: [-1.44, -1.2] })).toBe('−1.32 (−1.44 to −1.20)')
  expect(n.shortSigned({ value: 2.05, interval: [1.93, 2.17] })).toBe('+2.05 ±0.12')
  expect([1_912_000, 135e6, 7e9, 12].map(n.formatLarge)).toEqual(['1.9 M', '135 M', '7 B', '12'])
})

test('a dash stands where nothing was measured', () => {
  for (const write of [count, bytes, duration, (x: undefined) => percent(x), wholePercent, n.formatNumber])
    expect(write(undefined)).toBe('–')
  expect([n.formatNumber(Number.NaN), n.signedEstimate({ value: null }), percent(Number.NaN)]).toEqual([
    '–',
    '–',
    '–',
  ])
})

test('a table aligns numbers right, texts left, and counts wide letters twice', () => {
  const rows = [
    { name: 'start', reward: -1.32, wins: null },
    { name: '한국', reward: 2.05, wins: 88 },
  ]
  const table = tableOf(rows, [
    { key: 'name', title: '' },
    { key: 'reward' },
    { key: 'wins', format: (v) => `${v ?? '–'} %` },
  ])
  expect(tableLines(table)).toEqual(['       reward  wins', 'start  -1.320   – %', '한국    2.050  88 %'])
  expect(
    tableLines({
      columns: [text('method'), numeric('reward')],
      rows: [
        ['dpo', '+1.10'],
        ['clha', '+2.05'],
      ],
    }),
  ).toEqual(['method  reward', 'dpo      +1.10', 'clha     +2.05'])
})
