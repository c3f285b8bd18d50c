import { expect, test } from 'vitest'
import { type Decoder, decode, logits } from '../../src/models/decoder/decoder.js'
import { resizeEmbeddings } from '../../src/models/decoder/resize.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { singleSequence } from '../../src/nn/layout.js'
import { native, noGrad, scope } from '../../src/tensor/index.js'
import { fixture, maxDifference } from '../fixtures.js'

const logitsOf = (model: Decoder, ids: number[]) =>
  noGrad(() => scope(() => logits(model, decode(model, singleSequence(ids))).numbers()))

test('old tokens keep their logits, new rows are the mean row with a little noise of their own', () => {
  for (const [name, matrices] of [
    ['qwen2', ['model.embed_tokens.weight']],
    ['gpt_neox_parallel', ['gpt_neox.embed_in.weight', 'embed_out.weight']],
  ] as const) {
    const before = native().memory().tensors
    const model = loadModel(fixture(`models/${name}`))
    const old = model.config.vocabSize
    const expected = logitsOf(model, [5, 6, 7])
    resizeEmbeddings(model, old + 3, 1)
    expect([model.config.vocabSize, model.hfConfig.vocab_size]).toEqual([old + 3, old + 3])
    const found = logitsOf(model, [5, 6, 7])
    const kept = found.filter((_, i) => i % (old + 3) < old)
    expect(maxDifference(kept, expected)).toBeLessThan(1e-5)
    for (const matrix of matrices) {
      const width = model.config.hiddenSize
      const values = model.weights.get(matrix)!.numbers()
      expect(values.length).toBe((old + 3) * width)
      const row = (i: number) => values.slice(i * width, (i + 1) * width)
      const mean = Array.from({ length: width }, (_, d) => {
        let sum = 0
        for (let v = 0; v < old; v++) sum += values[v * width + d]
        return sum / old
      })
      for (const i of [old, old + 1, old + 2]) expect(maxDifference(row(i), mean)).toBeLessThan(1e-4)
      expect(row(old)).not.toEqual(row(old + 1))
    }
    expect(logitsOf(model, [old, old + 2]).every(Number.isFinite)).toBe(true)
    expect(() => resizeEmbeddings(model, 4, 1)).toThrow('fewer')
    model.dispose()
    expect(native().memory().tensors).toBe(before)
  }
})
