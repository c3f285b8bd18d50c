import { expect, test } from 'vitest'
import { attachAdapter } from '../../src/models/adapters/adapter.js'
import { decode, inBf16 } from '../../src/models/decoder/decoder.js'
import { singleSequence } from '../../src/nn/layout.js'
import { noGrad, scope } from '../../src/tensor/index.js'
import { temporaryFolder } from '../helpers/folders.js'
import { relative } from '../helpers/numbers.js'
import { bytesOf, CLHA, OBJECTIVES, run, tinyModel, training } from './tiny.js'

const SETTINGS = { totalSteps: 40, learningRate: 5e-3 }

/** A training, in mixed precision or not. */
function trained(bf16: boolean, objective = CLHA, recompute = false) {
  const t = training(temporaryFolder(), objective, SETTINGS)
  t.trainable.recompute = recompute
  return inBf16(t.trainable.model, bf16, () => run(t))
}

test.each(['clha', 'reward'])(
  '%s: a training in mixed precision follows that in float32: its loss falls as far, no tensor is left behind',
  async (name) => {
    const [wide, mixed] = [await trained(false, OBJECTIVES[name]), await trained(true, OBJECTIVES[name])]
    expect(mixed.losses).toHaveLength(40)
    expect(mixed.losses).not.toEqual(wide.losses)
    expect(relative(mixed.losses.slice(0, 3), wide.losses.slice(0, 3))).toBeLessThan(1e-2)
    const end = (losses: number[]) => losses.slice(-8).reduce((a, b) => a + b, 0) / 8
    expect(Math.abs(end(mixed.losses) - end(wide.losses))).toBeLessThan(
      0.1 * (wide.losses[0] - end(wide.losses)),
    )
    // Rows 2 to 40; what earlier trainings left may still be collected.
    const held = mixed.rows.slice(1).map(({ tensors }) => Number(tensors))
    expect(Math.max(...held)).toBe(held[0])
  },
)

test('blocks that are computed again give the same bits', async () => {
  expect((await trained(true, CLHA, true)).weights.equals((await trained(true)).weights)).toBe(true)
})

test('only the blocks change, only while it is on; weights stay float32', async () => {
  const model = tinyModel()
  const before = bytesOf(model)
  const hidden = () => noGrad(() => scope(() => decode(model, singleSequence([5, 9, 2, 7])).numbers()))
  const wide = hidden()
  const mixed = await inBf16(model, true, async () => hidden())
  expect(mixed).not.toEqual(wide)
  expect(relative(mixed, wide)).toBeLessThan(2e-2)
  expect(hidden()).toEqual(wide)
  expect(bytesOf(model).equals(before)).toBe(true)
  expect([...model.weights.values()].every(({ dtype }) => dtype === 'f32')).toBe(true)
})

test('an adapter is trained in mixed precision too, beside a base that stays as it is', async () => {
  const of = async (bf16: boolean) => {
    const t = training(temporaryFolder(), CLHA, SETTINGS)
    const { model } = t.trainable
    const before = bytesOf(model)
    const options = {
      r: 4,
      alpha: 8,
      dropout: 0.1,
      targetModules: 'all-linear',
      useRslora: false,
      modulesToSave: [],
    }
    attachAdapter(model, options, 1)
    const { losses } = await inBf16(model, bf16, () => run(t))
    expect(bytesOf(model).equals(before)).toBe(true)
    return losses
  }
  const [wide, mixed] = [await of(false), await of(true)]
  expect(relative(mixed.slice(0, 3), wide.slice(0, 3))).toBeLessThan(1e-2)
  expect(mixed.at(-1)).toBeLessThan(mixed[0])
})
