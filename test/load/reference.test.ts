/** The reference of a training: the model that it starts from, or ref_model, with whatever adapter it brings. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { adapterTensors, attachAdapter } from '../../src/models/adapters/adapter.js'
import { adapterFiles } from '../../src/models/adapters/adapter-save.js'
import { frozenAdapter } from '../../src/models/adapters/frozen-adapter.js'
import { decode, logits } from '../../src/models/decoder/decoder.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { singleSequence } from '../../src/nn/layout.js'
import { Generator, memory, noGrad, ops, scope } from '../../src/tensor/index.js'
import { badInputFolder, call } from '../cli/bad-input-helpers.js'
import { tinyModel } from '../train/tiny.js'

const files = badInputFolder()
let adapter = ''
let merged = ''

/** A PEFT folder whose maps are far from zero, with an embedding of its own, and the same as one model. */
beforeAll(async () => {
  const model = loadModel(files.model)
  attachAdapter(
    model,
    {
      r: 4,
      alpha: 8,
      dropout: 0,
      useRslora: false,
      targetModules: ['q_proj', 'v_proj'],
      modulesToSave: [],
      base: files.model,
    },
    1,
  )
  const generator = new Generator(3)
  noGrad(() =>
    scope(() => {
      for (const tensor of adapterTensors(model.adapter!).values())
        ops.copyInPlace(tensor, ops.mulScalar(ops.randn(tensor.shape, generator, 'f32'), 0.3))
    }),
  )
  adapter = join(files.dir, 'adapter')
  fs.mkdirSync(adapter)
  for (const { path, chunks } of adapterFiles(model))
    fs.writeFileSync(join(adapter, path), Buffer.concat([...chunks()]))
  generator.dispose()
  model.dispose()
  merged = join(files.dir, 'merged')
  expect((await call(files, ['merge', '--model-name-or-path', adapter, '--export-dir', merged])).code).toBe(0)
})

/** First row of the metrics of one step. */
async function firstStep(
  method: string,
  policy: string,
  ...flags: string[]
): Promise<Record<string, number>> {
  const result = await call(files, [
    ...['train', '--method', method, '--model-name-or-path', policy, '--train-dataset', files.data],
    ...[
      '--max-steps',
      '1',
      '--learning-rate',
      '1e-3',
      '--lr-scheduler-type',
      'constant',
      '--dev-fraction',
      '0',
      '--test-fraction',
      '0',
    ],
    ...['--max-length', '64', '--threads', '1', '--output-dir', '$out', ...flags],
  ])
  expect([result.code, result.complaint.match(/error.*/i)?.[0]]).toEqual([0, undefined])
  const rows = fs.readFileSync(join(result.out, 'metrics.jsonl'), 'utf8').trim().split('\n')
  return rows.map((row) => JSON.parse(row)).find((row) => row.loss !== undefined)
}

test('a training that goes on from an adapter is measured against the model with that adapter: log 2, margin 0', async () => {
  const row = await firstStep('dpo', adapter)
  expect(row.loss).toBeCloseTo(Math.LN2, 5)
  expect(row['rewards/margins']).toBeCloseTo(0, 5)
  const named = await firstStep('dpo', files.model, '--adapter-name-or-path', adapter)
  expect(named.loss).toBeCloseTo(Math.LN2, 5)
  const both = await firstStep('dpo', adapter, '--ref-model', adapter)
  expect(both.loss).toBeCloseTo(Math.LN2, 5)
})

test('an adapter as ref_model is used as it is: the loss is that of its merged model, not of the bare base', async () => {
  const [one, whole] = [
    await firstStep('dpo', files.model, '--ref-model', adapter),
    await firstStep('dpo', files.model, '--ref-model', merged),
  ]
  expect(one.loss).toBeCloseTo(whole.loss, 4)
  expect(Math.abs(one.loss - Math.LN2)).toBeGreaterThan(1e-3)
})

test.each(['dpo', 'cal_dpo', 'kto', 'bco'])(
  '%s: adapter and merged model as start and as reference give the same first loss',
  async (method) => {
    const start = [
      await firstStep(method, adapter),
      await firstStep(method, merged, '--use-peft', '--lora-dropout', '0'),
    ]
    const reference = [
      await firstStep(method, files.model, '--ref-model', adapter),
      await firstStep(method, files.model, '--ref-model', merged),
    ]
    // relative: the loss of cal_dpo is in the ten thousands here
    for (const [one, whole] of [start, reference]) expect(one.loss / whole.loss).toBeCloseTo(1, 4)
  },
)

test.each(['--load-in-8bit', '--load-in-4bit'])(
  '%s: the start with its adapter is the reference',
  async (bits) => {
    const row = await firstStep('dpo', adapter, bits)
    expect(row.loss).toBeCloseTo(Math.LN2, 4)
    expect(row['rewards/margins']).toBeCloseTo(0, 4)
    const other = await firstStep('dpo', files.model, bits, '--use-peft', '--ref-model', adapter)
    expect(Math.abs(other.loss - Math.LN2)).toBeGreaterThan(1e-3)
  },
)

test('the adapter of the start is asked again while the own one moves on, and leaves nothing behind', () => {
  const before = memory().tensors
  const model = tinyModel()
  attachAdapter(
    model,
    {
      r: 2,
      alpha: 2,
      dropout: 0,
      useRslora: false,
      targetModules: 'all-linear',
      modulesToSave: ['embed_tokens'],
    },
    1,
  )
  const numbers = () =>
    noGrad(() => scope(() => logits(model, decode(model, singleSequence([1, 2, 3]))).numbers()))
  const generator = new Generator(1)
  const move = () =>
    noGrad(() =>
      scope(() => {
        for (const tensor of adapterTensors(model.adapter!).values())
          ops.copyInPlace(tensor, ops.randn(tensor.shape, generator, 'f32'))
      }),
    )
  for (const first of [() => {}, move]) {
    first()
    const start = numbers()
    const atStart = frozenAdapter(model)
    move()
    const moved = numbers()
    expect(moved).not.toEqual(start)
    expect(atStart(numbers)).toEqual(start)
    expect(numbers()).toEqual(moved)
  }
  generator.dispose()
  model.dispose()
  expect(memory().tensors).toBe(before)
})
