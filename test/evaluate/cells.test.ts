import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { appendCell, type Cell, readCells } from '../../src/evaluate/cells.js'

const cell = (hash: string, value = 1): Cell => ({
  hash,
  variant: 'a',
  seed: 1,
  learningRate: 1e-3,
  seconds: 1,
  machine: 'm',
  version: '0',
  rewards: { true: [value, value] },
  figures: { kl: 1 },
})

const fresh = () => join(mkdtempSync(join(tmpdir(), 'clha-cells-')), 'deeper', 'cells.jsonl')

test('a file that is not there has no cells; what is appended is read back, the last line of a hash counts', () => {
  const path = fresh()
  expect(readCells(path).size).toBe(0)
  appendCell(path, cell('x'))
  appendCell(path, cell('y'))
  appendCell(path, cell('x', 2))
  expect([...readCells(path).keys()]).toEqual(['x', 'y'])
  expect(readCells(path).get('x')).toEqual(cell('x', 2))
})

test('a line that a crash cut is no cell, and the next cell does not grow out of it', () => {
  const path = fresh()
  appendCell(path, cell('x'))
  appendFileSync(path, JSON.stringify(cell('y')).slice(0, 30))
  expect([...readCells(path).keys()]).toEqual(['x'])
  appendCell(path, cell('z'))
  expect([...readCells(path).keys()]).toEqual(['x', 'z'])
  expect(readFileSync(path, 'utf8').split('\n').length).toBe(3)
})

test('a whole line that is no cell is an error with its place', () => {
  const path = fresh()
  appendCell(path, cell('x'))
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"hash": 3}\n`)
  expect(() => readCells(path)).toThrow(/cells\.jsonl:2: not a finished cell/)
})
