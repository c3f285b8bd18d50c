import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openMetrics, readMetrics } from '../../src/runs/metrics.js'
import { temporaryFolder } from '../helpers/folders.js'

const metricsPath = () => join(temporaryFolder(), 'metrics.jsonl')

function write(path: string, steps: number[], resumeStep?: number): void {
  const writer = openMetrics(path, resumeStep)
  for (const step of steps) writer.append({ step, loss: step / 10 })
  writer.sync()
  writer.close()
}

const stepsIn = (path: string) => readMetrics(path).rows.map(({ step }) => step)

test('rows come back in order, numbers exactly', () => {
  const path = metricsPath()
  const writer = openMetrics(path)
  const row = { step: 1, loss: 0.1 + 0.2, 'rewards/margins': 1e-300, note: 'é\n', done: true, best: null }
  writer.append(row)
  writer.close()
  expect(readMetrics(path)).toEqual({ rows: [row], torn: false, badLines: [] })
})

test('a number that is not finite stays visible', () => {
  const path = metricsPath()
  const writer = openMetrics(path)
  writer.append({
    step: 1,
    loss: Number.NaN,
    grad_norm: Number.POSITIVE_INFINITY,
    low: Number.NEGATIVE_INFINITY,
  })
  writer.close()
  expect(fs.readFileSync(path, 'utf8')).toBe(
    '{"step":1,"loss":"NaN","grad_norm":"Infinity","low":"-Infinity"}\n',
  )
  expect(readMetrics(path).rows[0]).toEqual({
    step: 1,
    loss: Number.NaN,
    grad_norm: Number.POSITIVE_INFINITY,
    low: Number.NEGATIVE_INFINITY,
  })
})

test('a file cut at any byte gives all whole rows before the cut, and is repaired at the next start', () => {
  const path = metricsPath()
  write(path, [1, 2, 3])
  const whole = fs.readFileSync(path)
  for (let length = 0; length < whole.length; length++) {
    fs.writeFileSync(path, whole.subarray(0, length))
    const lines = whole.subarray(0, length).toString().split('\n').length - 1
    const { rows, torn, badLines } = readMetrics(path)
    expect([rows.length, torn, badLines]).toEqual([lines, length > 0 && whole[length - 1] !== 10, []])
    write(path, [lines + 1])
    expect(stepsIn(path)).toEqual(Array.from({ length: lines + 1 }, (_, i) => i + 1))
  }
})

test('on resume rows after the checkpoint go, so that each step appears once', () => {
  const path = metricsPath()
  write(path, [1, 2, 3, 4, 5])
  write(path, [4, 5, 6], 3)
  expect(stepsIn(path)).toEqual([1, 2, 3, 4, 5, 6])
})

test('on resume from nothing no row is left', () => {
  const path = metricsPath()
  write(path, [1, 2])
  write(path, [1], 0)
  expect(stepsIn(path)).toEqual([1])
})

test('lines that are no rows are told by number', () => {
  const path = metricsPath()
  fs.writeFileSync(path, '{"step":1}\nxx\n[]\nnull\n{"loss":1}\n{"step":2}\n')
  expect(readMetrics(path)).toEqual({ rows: [{ step: 1 }, { step: 2 }], torn: false, badLines: [2, 3, 4, 5] })
})

test('a missing file has no rows', () => {
  expect(readMetrics(metricsPath())).toEqual({ rows: [], torn: false, badLines: [] })
})
