/** Training on a GPU: the run of the CPU, the same bits twice, flat memory; half precision near it. */
import { afterEach, expect, test } from 'vitest'
import { currentDevice, useDevice } from '../../src/tensor/index.js'
import type { TrainingRun } from '../../src/train/loop/training-run.js'
import { temporaryFolder } from '../helpers/folders.js'
import { run, tinyModel, training } from '../train/tiny.js'

const GPU = currentDevice()
afterEach(() => useDevice(GPU))

/** Models are made when the device is chosen. */
const on = (device: string, changes: (t: TrainingRun) => TrainingRun = (t) => t) => {
  useDevice(device)
  return run(changes(training(temporaryFolder())))
}

const worst = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((x, i) => Math.abs(x - b[i]) / Math.abs(b[i])))

test('losses of 12 steps are those of the CPU', async () => {
  const [gpu, cpu] = [await on(GPU), await on('cpu')]
  expect(gpu.losses).toHaveLength(12)
  expect(worst(gpu.losses, cpu.losses)).toBeLessThan(1e-4)
})

test('the same run gives the same bits', async () => {
  const [a, b] = [await on(GPU), await on(GPU)]
  expect(a.losses).toEqual(b.losses)
  expect(a.weights.equals(b.weights)).toBe(true)
})

test.each(['mixed precision', 'bf16 weights'])('%s: the loss falls as in f32', async (kind) => {
  const [half, full] = [
    await on(GPU, (t) => {
      const model = kind === 'bf16 weights' ? tinyModel('lm', 1, 'bf16') : t.trainable.model
      if (kind === 'mixed precision') model.bf16 = true
      return { ...t, trainable: { ...t.trainable, model } }
    }),
    await on(GPU),
  ]
  expect(half.losses[0]).toBeCloseTo(full.losses[0], 1)
  expect(half.losses[11]).toBeLessThan(half.losses[0])
  expect(half.losses[11]).toBeCloseTo(full.losses[11], 0)
})

test('memory of the GPU does not grow from step to step', async () => {
  const { rows } = await on(GPU)
  const mib = rows.map((row) => Number(row.gpu_memory_mib))
  expect(mib[0]).toBeGreaterThan(0)
  expect(mib[11]).toBeLessThanOrEqual(mib[3])
})
