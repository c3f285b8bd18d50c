import { expect, test } from 'vitest'
import { toJsonLine } from '../../src/show/json-lines.js'
import { displayWidth, oneLine, printable } from '../../src/show/printable.js'
import { tableLines } from '../../src/show/text-table.js'
import { bytes, count, duration, figure, percent, rate } from '../../src/show/units.js'

test('what would steer a terminal is shown instead of sent', () => {
  expect(printable('\u001b[2J\u0007\r\u009b')).toBe('\\x1b[2J\\x07\\r\\x9b')
  expect(printable('a\u202eb\u2066c\u200f\ufeff')).toBe('a\\u202eb\\u2066c\\u200f\\ufeff')
  expect(printable('\ud800x')).toBe('\\ud800x')
})

test('ordinary text, tabs, newlines, other scripts and emoji stay', () => {
  const text = 'a\tb\nÄ 한국어 مرحبا 👩‍🚀'
  expect(printable(text)).toBe(text)
})

test('one line is one line, and not too wide', () => {
  expect(oneLine('a\nb')).toBe('a\\nb')
  expect(oneLine('abcdef', 4)).toBe('abc…')
  expect(oneLine('한국어', 5)).toBe('한국…')
  expect(displayWidth('e\u0301한👍')).toBe(5)
})

test('numbers have units and separators', () => {
  expect([count(41203), figure(0.41234), figure(12.345), figure(1e-6), figure(Number.NaN)]).toEqual([
    '41,203',
    '0.412',
    '12.35',
    '1.00e-6',
    'NaN',
  ])
  expect([bytes(0), bytes(999), bytes(196e6), bytes(1.6e9)]).toEqual(['0 B', '999 B', '196 MB', '1.6 GB'])
  expect([0.42, 38, 59.7, 130, 3600, 6540, 183600].map(duration)).toEqual([
    '0.4 s',
    '38 s',
    '1 min',
    '2 min 10 s',
    '1 h',
    '1 h 49 min',
    '2 d 3 h',
  ])
  expect([rate(412, 'answers'), rate(9100, 'tokens'), rate(0.08, 'steps'), rate(1.1)]).toEqual([
    '412 answers/s',
    '9.1 k tokens/s',
    '13 s/step',
    '1.1/s',
  ])
  expect(percent(0.631)).toBe('63.1 %')
})

test('a table aligns numbers right, texts left, and counts wide letters twice', () => {
  const rows = [
    { name: 'start', reward: -1.32, wins: null },
    { name: '한국', reward: 2.05, wins: 88 },
  ]
  expect(
    tableLines(rows, [
      { key: 'name', title: '' },
      { key: 'reward' },
      { key: 'wins', format: (v) => `${v ?? '–'} %` },
    ]),
  ).toEqual(['       reward  wins', 'start  -1.320   – %', '한국    2.050  88 %'])
})

test('JSON lines have snake_case names and never hide a number', () => {
  expect(
    toJsonLine({
      outputDir: 'a',
      loss: Number.NaN,
      'rewards/acc': [Number.POSITIVE_INFINITY],
      nested: { bestStep: 1 },
    }),
  ).toBe('{"output_dir":"a","loss":"NaN","rewards/acc":["Infinity"],"nested":{"best_step":1}}\n')
})
