import { expect, test } from 'vitest'
import { toJsonLine } from '../../src/show/json-lines.js'
import { displayWidth, oneLine, printable, wrapped } from '../../src/show/printable.js'
import { tableLines, text } from '../../src/show/table.js'

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

test('too wide a line goes on between words, two columns to the right; commands and long words stay whole', () => {
  expect(wrapped('one two three\n  four five six', 10)).toBe('one two\n  three\n  four\n    five\n    six')
  expect(wrapped('key  one two', 9)).toBe('key  one\n  two')
  expect(wrapped('/a/path/without/an/end in', 10)).toBe('/a/path/without/an/end\n  in')
  expect(wrapped('한국어 한국어', 8)).toBe('한국어\n  한국어')
  const command = 'next  ./clha train my.yaml --output-dir runs/my'
  expect(wrapped(command, 20)).toBe(command)
})

test('a table draws together where the terminal is narrow', () => {
  const table = { columns: [text('a'), text('b')], rows: [['1234', '5678']] }
  expect(tableLines(table, 10)).toEqual(['a     b', '1234  5678'])
  expect(tableLines(table, 9)).toEqual(['a    b', '1234 5678'])
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
