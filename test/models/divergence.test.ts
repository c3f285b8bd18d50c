import { expect, test } from 'vitest'
import { packLists } from '../../src/data/encode/pack.js'
import { decode, logits } from '../../src/models/decoder/decoder.js'
import { divergence } from '../../src/models/decoder/divergence.js'
import { streamOf } from '../../src/models/decoder/score.js'
import { createRandom } from '../../src/random.js'
import { memory, noGrad, scope } from '../../src/tensor/index.js'
import { randomList } from '../helpers/encoded.js'
import { tinyModel, VOCABULARY } from '../train/tiny.js'

const batch = () => {
  const random = createRandom('divergence')
  const lists = Array.from({ length: 3 }, (_, i) => randomList(random, `list ${i}`, 2, VOCABULARY))
  return packLists(lists, { maxTokens: 4096, lastToken: false })[0]
}

/** Probabilities of the scored rows, in plain numbers. */
function probabilities(model: ReturnType<typeof tinyModel>, packed: ReturnType<typeof batch>): number[][] {
  return noGrad(() =>
    scope(() => {
      const all = logits(model, decode(model, streamOf(packed)))
      const flat = all.numbers()
      return Array.from(packed.rows, (row) => {
        const x = flat.slice(row * VOCABULARY, (row + 1) * VOCABULARY)
        const most = Math.max(...x)
        const sum = x.reduce((s, v) => s + Math.exp(v - most), 0)
        return x.map((v) => Math.exp(v - most) / sum)
      })
    }),
  )
}

test('entropy and KL are those of the definition, over every scored token', () => {
  const [a, b, packed] = [tinyModel('lm', 1), tinyModel('lm', 2), batch()]
  const [p, q] = [probabilities(a, packed), probabilities(b, packed)]
  const sum = (f: (x: number, y: number) => number) =>
    p.reduce((s, row, i) => s + row.reduce((t, x, k) => t + f(x, q[i][k]), 0), 0)
  const before = memory().tensors
  const found = divergence(a, packed, (use) => use(b))
  expect(found.tokens).toBe(packed.rows.length)
  expect(found.entropy).toBeCloseTo(
    sum((x) => -x * Math.log(x)),
    3,
  )
  expect(found.kl).toBeCloseTo(
    sum((x, y) => x * Math.log(x / y)),
    3,
  )
  expect(memory().tensors).toBe(before)
})

test('a model has no divergence from itself, and none without another', () => {
  const model = tinyModel()
  expect(divergence(model, batch(), (use) => use(model)).kl).toBeCloseTo(0, 6)
  expect(divergence(model, batch()).kl).toBe(0)
})
