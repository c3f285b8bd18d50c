import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { unsharedBatch } from '../../bench/lib/layouts.mjs'
import { batches, encodedOf, rowsOfRound, tokensOf } from '../../bench/lib/rounds.mjs'
import { median, ratioOf } from '../../bench/lib/stats.mjs'
import { suites } from '../../bench/lib/suites.mjs'
import { packLists } from '../../src/data/encode/pack.js'
import { candidateLogProbs } from '../../src/models/decoder/score.js'
import { noGrad, scope } from '../../src/tensor/index.js'
import { tinyModel } from '../train/tiny.js'

const rows = [
  {
    ids: [
      [3, 4, 5],
      [6, 7, 2],
      [8, 2],
    ],
  },
  { ids: [[9], [10, 2], [11, 12, 13, 2]] },
]
const packed = () =>
  packLists(
    rows.map((row, i) => encodedOf(row, i)),
    { maxTokens: 100, lastToken: false },
  )[0]

test('every module of the product that a benchmark or a script loads from dist/ is there', () => {
  const scripts = ['bench', 'scripts'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  )
  const loaded = scripts
    .filter((name) => name.endsWith('.mjs'))
    .flatMap((name) => [
      ...readFileSync(name, 'utf8').matchAll(/\b(?:product|load)\('([\w./-]+?)(?:\.js)?'\)/g),
    ])
    .map(([, module]) => module)
  expect(loaded.length).toBeGreaterThan(20)
  expect(loaded.filter((module) => !existsSync(`src/${module}.ts`))).toEqual([])
})

test('a ratio is the median of the rounds, with the smallest and the largest', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  expect(ratioOf([2, 9, 8], [1, 3, 2])).toEqual({ ratio: 3, low: 2, high: 4, rounds: 3 })
  expect(ratioOf([], [1])).toBeUndefined()
})

test('rounds follow each other through the data, behind the rows that warm up, and start again at its end', () => {
  const data = Array.from({ length: 20 }, (_, i) => i)
  expect(rowsOfRound(data, 0, 8)).toEqual([8, 9, 10, 11, 12, 13, 14, 15])
  expect(rowsOfRound(data, 1, 8)).toEqual([16, 17, 18, 19, 8, 9, 10, 11])
  expect(rowsOfRound(data, 0, 4, 2)).toEqual([2, 3, 4, 5])
  expect([...batches([1, 2, 3], 2)]).toEqual([[1, 2], [3]])
})

test('tokens count the prompt for every answer', () => {
  expect(tokensOf(rows)).toBe(6 + 5 + 3 + 5)
})

test('without sharing every answer has its own prompt; padded rows are as long as the longest', () => {
  const plain = unsharedBatch(packed())
  expect(Array.from(plain.tokens)).toEqual([3, 4, 5, 6, 7, 3, 4, 5, 8, 9, 10, 9, 11, 12, 13])
  expect(Array.from(plain.positions)).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 0, 1, 0, 1, 2, 3])
  const padded = unsharedBatch(packed(), 0)
  expect(Array.from(padded.tokens)).toEqual([3, 4, 5, 6, 7, 3, 4, 5, 8, 0, 9, 10, 0, 0, 0, 9, 11, 12, 13, 0])
})

test('no layout changes a log-probability', () => {
  const model = tinyModel()
  const sums = (batch: ReturnType<typeof packed>) =>
    noGrad(() => scope(() => candidateLogProbs(model, batch).sum.numbers()))
  const shared = sums(packed())
  for (const other of [unsharedBatch(packed()), unsharedBatch(packed(), 0)])
    for (const [i, sum] of sums(other).entries()) expect(sum).toBeCloseTo(shared[i], 4)
})

test('every row of every suite names a contender of it', () => {
  for (const device of ['cpu', 'cuda'])
    for (const suite of [...suites(true, device), ...suites(false, device)]) {
      const names = suite.contenders.map((c: { name: string }) => c.name)
      expect(new Set(names).size).toBe(names.length)
      expect(names[0]).toBe('clha')
      for (const { ours = 'clha', theirs, most, least } of suite.rows) {
        expect(names).toContain(ours)
        expect(most !== undefined || least !== undefined || names.includes(theirs)).toBe(true)
      }
    }
})
