import { expect, test } from 'vitest'
import { leadCutter } from '../../src/serve/lead-cutter.js'

const cut = (lead: string, ...pieces: string[]) => {
  const cutter = leadCutter(lead)
  return pieces.map((piece) => cutter.take(piece)).join('') + cutter.rest()
}

test('the lead is cut once, however the text comes', () => {
  expect(cut(' ', ' It is')).toBe('It is')
  expect(cut(' ', ' ', ' two')).toBe(' two')
  expect(cut('\n\n', '\n', '\nIt')).toBe('It')
  expect(cut('', ' It')).toBe(' It')
})

test('a text that begins otherwise stays whole', () => {
  expect(cut(' ', 'It')).toBe('It')
  expect(cut('\n\n', '\n', 'It')).toBe('\nIt')
  expect(cut('\n\n', '\n')).toBe('\n')
})
