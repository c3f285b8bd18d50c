// A file, and so a process, of its own: what other tests hold would be counted here.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { memory } from '../../src/tensor/index.js'
import { temporaryFolder } from '../helpers/folders.js'
import { CLHA, randomItems, run, training } from './tiny.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

test('X6: 200 steps over batches of many shapes: as many tensors after the last as after the second, none leaked, flat memory', async () => {
  const items = Array.from({ length: 5 }, (_, k) => randomItems(8, `shapes ${k}`, k + 1)).flat()
  const t = {
    ...training(temporaryFolder(), CLHA, { totalSteps: 200, batchSize: 1, evalSteps: 50 }),
    items,
    devItems: randomItems(4, 'dev'),
  }
  const rss: number[] = []
  t.hooks.log = ({ step, loss }) => {
    if (step % 10 !== 0 || loss === undefined) return
    collect()
    rss.push(process.memoryUsage.rss() / 1024)
  }
  const { rows } = await run(t)
  t.trainable.model.dispose()
  const of = (name: string) => rows.filter((row) => name in row).map((row) => Number(row[name]))
  const tensors = of('tensors')
  expect(tensors).toHaveLength(200)
  expect(tensors[199]).toBe(tensors[1])
  expect(of('leaked_tensors')[199]).toBe(0)
  expect(new Set(of('num_tokens').map((n, i, all) => n - (all[i - 1] ?? 0))).size).toBeGreaterThan(20)
  // What the engine keeps for each new shape fills up while shapes are new: two epochs of the five.
  expect(slope(rss.slice(rss.length / 2)) / 10).toBeLessThan(100)
})

/** Least squares, per step. */
function slope(y: readonly number[]): number {
  const middle = (y.length - 1) / 2
  const mean = y.reduce((a, b) => a + b, 0) / y.length
  const over = y.reduce((sum, v, i) => sum + (i - middle) * (v - mean), 0)
  return over / y.reduce((sum, _, i) => sum + (i - middle) ** 2, 0)
}

test('X6: a training that fails leaves no tensor behind', async () => {
  const t = training(temporaryFolder())
  await run(t)
  t.dir = temporaryFolder()
  const before = memory().tensors
  t.items = t.items.map((item, i) => (i === 3 ? { ...item, sft: { index: 0, weight: Number.NaN } } : item))
  await expect(run(t)).rejects.toMatchObject({ exitCode: 5 })
  expect(memory().tensors).toBe(before)
  t.trainable.model.dispose()
})
