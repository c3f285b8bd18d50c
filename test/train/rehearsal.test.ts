import { expect, test } from 'vitest'
import { attachAdapter } from '../../src/models/adapters/adapter.js'
import { memory } from '../../src/tensor/index.js'
import { temporaryFolder } from '../helpers/folders.js'
import { bytesOf, CLHA, fileOf, OBJECTIVES, run, training } from './tiny.js'

const LORA = {
  r: 2,
  alpha: 4,
  dropout: 0.3,
  targetModules: 'all-linear',
  useRslora: false,
  modulesToSave: [],
}

/** Final weights and moments, and all losses. */
async function outcome(changes: { largest?: boolean; recompute?: boolean; lora?: boolean; name?: string }) {
  const dir = temporaryFolder()
  const t = training(dir, OBJECTIVES[changes.name ?? 'clha'])
  if (changes.lora) attachAdapter(t.trainable.model, LORA, 5)
  t.trainable.recompute = changes.recompute
  if (changes.largest) t.largest = { step: 2, place: 0 }
  const seconds: number[] = []
  t.hooks.rehearsed = (s) => seconds.push(s)
  const { losses } = await run(t)
  t.trainable.model.dispose()
  expect(seconds.length).toBe(changes.largest ? 1 : 0)
  const name = changes.lora ? 'adapter_model.safetensors' : 'model.safetensors'
  const files = [name, 'optimizer.safetensors'].map((file) =>
    fileOf(dir, 'checkpoint-12', file).toString('base64'),
  )
  return { losses, files }
}

test.each([
  { name: 'clha', lora: false },
  { name: 'clha', lora: true },
  { name: 'reward', lora: false },
  { name: 'reward', lora: true },
])(
  '$name, adapter $lora: with a rehearsal and with recomputation a training ends in the same bits',
  async (how) => {
    const plain = await outcome(how)
    expect(plain.losses).toHaveLength(12)
    expect(await outcome({ ...how, largest: true })).toEqual(plain)
    expect(await outcome({ ...how, largest: true, recompute: true })).toEqual(plain)
  },
)

test('memory that lacks is missed before the first step: nothing is logged, saved or left behind', async () => {
  const t = training(temporaryFolder())
  const start = bytesOf(t.trainable.model)
  const before = memory().tensors
  t.largest = { step: 0, place: 0 }
  t.trainable.objective = {
    ...CLHA,
    forward: () => {
      throw new RangeError("out of memory: aten::mm: can't allocate memory")
    },
  }
  const steps: number[] = []
  t.hooks.progress = (step) => steps.push(step)
  await expect(run(t)).rejects.toThrow('out of memory')
  expect(steps).toEqual([])
  expect(memory().tensors).toBe(before)
  expect(bytesOf(t.trainable.model).equals(start)).toBe(true)
  t.trainable.model.dispose()
})
