import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSafetensors } from '../../src/checkpoint/format/safetensors.js'
import { packLists } from '../../src/data/encode/pack.js'
import { adapterTensors, attachAdapter, withAdapterOff } from '../../src/models/adapters/adapter.js'
import { loadAdapter } from '../../src/models/adapters/adapter-load.js'
import type { Decoder } from '../../src/models/decoder/decoder.js'
import { rewardModelFrom } from '../../src/models/decoder/init.js'
import { candidateLogProbs, candidateRewards } from '../../src/models/decoder/score.js'
import { memory, noGrad, ops, scope } from '../../src/tensor/index.js'
import type { TrainingRun } from '../../src/train/loop/training-run.js'
import { temporaryFolder } from '../helpers/folders.js'
import { copyOfBytes } from '../helpers/numbers.js'
import { bytesOf, fileOf, OBJECTIVES, randomItems, run, tinyModel, training } from './tiny.js'

const LORA = { r: 4, alpha: 8, targetModules: 'all-linear', useRslora: false, modulesToSave: [] as string[] }

/** A training of an adapter on the tiny model. */
function loraTraining(
  dir: string,
  name = 'clha',
  dropout = 0.1,
  changes: Partial<TrainingRun['loop']> = {},
): TrainingRun {
  const t = training(dir, OBJECTIVES[name], changes)
  attachAdapter(t.trainable.model, { ...LORA, dropout }, 5)
  return t
}

const adapterBytes = (model: Decoder) =>
  Buffer.concat(Array.from(adapterTensors(model.adapter!).values(), (t) => copyOfBytes(t)))

const baseBytes = (model: Decoder) => withAdapterOff(model, () => bytesOf(model))

const scores = (model: Decoder) =>
  noGrad(() =>
    scope(() => {
      const lastToken = model.head === 'reward'
      const lists = randomItems(3, 'scored').map(({ encoded }) => encoded)
      const [batch] = packLists(lists, { maxTokens: 1000, lastToken })
      return (lastToken ? candidateRewards(model, batch) : candidateLogProbs(model, batch).sum).numbers()
    }),
  )

test.each(['clha', 'reward'])(
  '%s: the base keeps every bit, the adapter learns; saved and loaded it gives the same numbers',
  async (name) => {
    const dir = temporaryFolder()
    const t = loraTraining(dir, name, 0.1, { totalSteps: 3 })
    const { model } = t.trainable
    const before = [baseBytes(model), adapterBytes(model)]
    const { model: folder } = await run(t)
    expect(baseBytes(model).equals(before[0])).toBe(true)
    expect(adapterBytes(model).equals(before[1])).toBe(false)
    expect(fs.readdirSync(folder)).toEqual(
      expect.arrayContaining(['adapter_config.json', 'adapter_model.safetensors', 'manifest.json']),
    )
    expect(fs.existsSync(join(folder, 'config.json'))).toBe(false)
    const again = training(dir, OBJECTIVES[name]).trainable.model
    loadAdapter(folder, again)
    expect(scores(again)).toEqual(scores(model))
    expect(scores(again)).not.toEqual(withAdapterOff(model, () => scores(model)))
    again.dispose()
    model.dispose()
  },
)

test('the optimizer, its file and the trained tensors are those of the adapter alone', async () => {
  const t = loraTraining(temporaryFolder(), 'clha', 0, { totalSteps: 2 })
  const names = [...adapterTensors(t.trainable.model.adapter!).keys()]
  const { model: folder } = await run(t)
  const file = openSafetensors(join(folder, 'optimizer.safetensors'))
  const kinds = ['exp_avg', 'exp_avg_sq', 'step']
  expect([...file.entries.keys()].sort()).toEqual(names.flatMap((n) => kinds.map((k) => `${k}.${n}`)).sort())
  file.close()
  t.trainable.model.dispose()
})

test.each(['clha', 'reward'])(
  '%s: stopped and resumed with dropout, losses and final bits are those of the whole run',
  async (name) => {
    const parts = async (...stops: number[]) => {
      const dir = temporaryFolder()
      const losses: number[] = []
      for (const [i, stop] of [...stops, Number.POSITIVE_INFINITY].entries()) {
        const t = { ...loraTraining(dir, name), resume: i > 0 }
        losses.push(...(await run(t, stop)).losses)
        t.trainable.model.dispose()
      }
      const files = ['adapter_model.safetensors', 'optimizer.safetensors']
      return { losses, files: files.map((file) => fileOf(dir, 'checkpoint-12', file).toString('base64')) }
    }
    const whole = await parts()
    expect(whole.losses).toHaveLength(12)
    expect(await parts(1)).toEqual(whole)
    expect(await parts(5, 6)).toEqual(whole)
  },
)

test('dropout changes training, the same way each time, and never an evaluation', async () => {
  const losses = async (dropout: number) => {
    const t = {
      ...loraTraining(temporaryFolder(), 'clha', dropout, { evalSteps: 4 }),
      devItems: randomItems(4, 'dev'),
    }
    const { rows, losses } = await run(t)
    t.trainable.model.dispose()
    return { losses, first: rows.find((row) => row.eval_loss !== undefined)?.eval_loss }
  }
  const [none, some, again] = [await losses(0), await losses(0.3), await losses(0.3)]
  expect(again).toEqual(some)
  expect(some.losses).not.toEqual(none.losses)
  // B begins at zero: what A sees does not matter yet.
  expect(some.losses[0]).toBe(none.losses[0])
  const model = tinyModel()
  attachAdapter(model, { ...LORA, dropout: 0.5 }, 1)
  expect(scores(model)).toEqual(scores(model))
  model.dispose()
})

test('live tensors stay flat over 50 steps, and all of them go with the model', async () => {
  const before = memory().tensors
  const t = loraTraining(temporaryFolder(), 'clha', 0.1, { totalSteps: 50 })
  const { rows } = await run(t)
  const counts = rows.map((row) => row.tensors).filter((n) => n !== undefined)
  expect(new Set(counts.slice(1)).size).toBe(1)
  expect(rows.at(-1)?.leaked_tensors).toBe(0)
  t.trainable.model.dispose()
  expect(memory().tensors).toBe(before)
})

test('a reward adapter on a shared backbone trains its own head and leaves the language model as it was', async () => {
  const language = tinyModel()
  const before = bytesOf(language)
  const t = training(temporaryFolder(), OBJECTIVES.reward, { totalSteps: 3 })
  t.trainable.model.dispose()
  t.trainable.model = rewardModelFrom(language, 7, { shared: true })
  attachAdapter(t.trainable.model, { ...LORA, dropout: 0 }, 5)
  const head = copyOfBytes(t.trainable.model.weights.get('score.weight')!)
  await run(t)
  expect(copyOfBytes(t.trainable.model.weights.get('score.weight')!).equals(head)).toBe(false)
  t.trainable.model.dispose()
  expect(bytesOf(language).equals(before)).toBe(true)
  language.dispose()
})

test('a value that is not finite in the adapter stops before the update, and the tensor is named', async () => {
  const t = loraTraining(temporaryFolder())
  const [[name, tensor]] = adapterTensors(t.trainable.model.adapter!)
  scope(() => noGrad(() => void ops.copyInPlace(tensor, ops.full(tensor.shape, Number.NaN))))
  await expect(run(t)).rejects.toMatchObject({
    exitCode: 5,
    message: expect.stringContaining(`weight ${name}`),
  })
  t.trainable.model.dispose()
})
