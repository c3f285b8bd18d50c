import { expect, test } from 'vitest'
import type { EncodedExample } from '../../src/data/encode/encoded.js'
import { packLists } from '../../src/data/encode/pack.js'
import { type Decoder, decode } from '../../src/models/decoder/decoder.js'
import { initModel } from '../../src/models/decoder/init.js'
import { candidateLogProbs, candidateRewards, streamOf } from '../../src/models/decoder/score.js'
import { loadModel, readHfConfig } from '../../src/models/folders/load-model.js'
import { singleSequence } from '../../src/nn/layout.js'
import { createRandom } from '../../src/random.js'
import {
  type DType,
  gradients,
  i64,
  native,
  noGrad,
  ops,
  requiresGrad,
  scope,
  type Tensor,
} from '../../src/tensor/index.js'
import { fixture } from '../fixtures.js'
import { randomList } from '../helpers/encoded.js'
import { relative } from '../helpers/numbers.js'

// Steps this small are over before a second thread wakes up; on a busy machine they would wait for it.
native().setThreads(1)

const folder = fixture('models/llama_gqa')
const VOCABULARY = 128

function lists(): EncodedExample[] {
  const random = createRandom('lists')
  return [1, 2, 3, 4, 5, 6, 2].map((n, i) => randomList(random, `${i}`, n, VOCABULARY))
}

const sequence = ({ promptIds }: EncodedExample, ids: Int32Array) => [...promptIds, ...ids]

/** Summed log-probability of the scored tokens from a stream that holds nothing else. */
function alone(model: Decoder, example: EncodedExample, k: number): Tensor {
  const { ids, scoredFrom } = example.answers[k]
  const hidden = decode(model, singleSequence(sequence(example, ids)))
  const first = example.promptIds.length + scoredFrom
  const rows = ops.narrow(hidden, 0, first - 1, ids.length - scoredFrom)
  const [logp] = ops.linearLogProbComposed(
    rows,
    model.weights.get('lm_head.weight')!,
    i64(Array.from(ids).slice(scoredFrom)),
  )
  return ops.sum(logp)
}

for (const [dtype, tolerance] of [
  ['f32', 1e-5],
  ['f64', 1e-10],
] as [DType, number][]) {
  test(`${dtype}: packed log-probs, hidden states and gradients are those of one sequence at a time`, () => {
    const model = loadModel(folder, dtype)
    const weights = [...model.weights.values()].map((w) => requiresGrad(w))
    const examples = lists()
    scope(() => {
      const single = examples.map((e) => e.answers.map((_, k) => alone(model, e, k)))
      const expected = single.map((list) => list.map((s) => s.item()))
      // weights of their own for the sums, so that no two candidates can stand in for each other
      const factor = (i: number, k: number) => 1 + 0.3 * i - 0.2 * k
      const total = ops.sum(
        ops.stack(single.flatMap((list, i) => list.map((s, k) => ops.mulScalar(s, factor(i, k))))),
      )
      const expectedGradients = gradients([total], weights).map((g) => g!.numbers())

      for (const maxTokens of [1, 60, 10_000]) {
        const order = createRandom(`order ${maxTokens}`).shuffle(examples.map((_, i) => i))
        const sums = weights.map((w) => new Float64Array(w.numbers().length))
        for (const batch of packLists(
          order.map((i) => examples[i]),
          { maxTokens, lastToken: false },
        )) {
          scope(() => {
            const { sum } = candidateLogProbs(model, batch)
            const which = batch.places.map((at) => order[at])
            expect(
              relative(
                sum.numbers(),
                which.flatMap((i) => expected[i]),
              ),
            ).toBeLessThan(tolerance)
            const factors = which.flatMap((i) => expected[i].map((_, k) => factor(i, k)))
            const seed = ops.to(i64(factors.map((f) => Math.round(f * 10))), dtype)
            const found = gradients([ops.sum(ops.mul(sum, ops.mulScalar(seed, 0.1)))], weights)
            found.forEach((g, p) => {
              g!.numbers().forEach((x, j) => {
                sums[p][j] += x
              })
            })
          })
        }
        sums.forEach((g, p) => {
          expect(relative(g, expectedGradients[p])).toBeLessThan(tolerance)
        })
      }

      const [batch] = packLists(examples, { maxTokens: 10_000, lastToken: true })
      const hidden = decode(model, streamOf(batch))
      let at = 0
      for (const example of examples) {
        const prompt = at
        at += example.promptIds.length
        for (const { ids } of example.answers) {
          const own = decode(model, singleSequence(sequence(example, ids))).numbers()
          const width = model.config.hiddenSize
          const rows = (from: number, count: number) => ops.narrow(hidden, 0, from, count).numbers()
          const packed = [...rows(prompt, example.promptIds.length), ...rows(at, ids.length)]
          expect(packed.length).toBe((example.promptIds.length + ids.length) * width)
          expect(relative(packed, own)).toBeLessThan(tolerance)
          at += ids.length
        }
      }
    })
    model.dispose()
  })
}

test('the reward of a candidate does not depend on its neighbours', () => {
  const model = initModel(readHfConfig(folder), 5, 'reward')
  const examples = lists()
  const score = (chosen: EncodedExample[]) =>
    noGrad(() =>
      packLists(chosen, { maxTokens: 10_000, lastToken: true }).flatMap((batch) =>
        scope(() => candidateRewards(model, batch).numbers()),
      ),
    )
  // A few rows are multiplied in another order than many.
  const together = score(examples)
  expect(
    relative(
      examples.flatMap((e) => score([e])),
      together,
    ),
  ).toBeLessThan(5e-6)
  const reversed = score([...examples].reverse())
  let at = together.length
  for (const e of examples) {
    at -= e.answers.length
    const own = together.slice(together.length - at - e.answers.length, together.length - at)
    expect(relative(reversed.slice(at, at + e.answers.length), own)).toBeLessThan(5e-6)
  }
  for (const e of examples) {
    const each = e.answers.map((a) => score([{ ...e, answers: [a] }])[0])
    expect(relative(score([e]), each)).toBeLessThan(5e-6)
  }
  model.dispose()
})
