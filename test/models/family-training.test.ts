import { expect, test } from 'vitest'
import { type PackedBatch, packLists } from '../../src/data/encode/pack.js'
import type { Decoder } from '../../src/models/decoder/decoder.js'
import { candidateLogProbs, candidateRewards } from '../../src/models/decoder/score.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { createRandom } from '../../src/random.js'
import { fromData, gradients, noGrad, ops, requiresGrad, scope, type Tensor } from '../../src/tensor/index.js'
import { fixture } from '../fixtures.js'
import { randomList } from '../helpers/encoded.js'
import { relative } from '../helpers/numbers.js'
import { oneOfEach, rewardModels } from './recorded.js'

const VOCABULARY = 96

const listsOf = (name: string) => {
  const random = createRandom(`lists of ${name}`)
  return [3, 1, 2].map((n, i) => randomList(random, `${i}`, n, VOCABULARY))
}

const scoresOf = (model: Decoder, batch: PackedBatch): Tensor =>
  model.head === 'reward' ? candidateRewards(model, batch) : candidateLogProbs(model, batch).sum

/** Scores of all candidates, each example's in its own order. */
function scores(model: Decoder, examples: ReturnType<typeof listsOf>): number[] {
  const batches = packLists(examples, { maxTokens: 1000, lastToken: model.head === 'reward' })
  return noGrad(() => batches.flatMap((batch) => scope(() => scoresOf(model, batch).numbers())))
}

for (const name of [...oneOfEach, ...rewardModels]) {
  test(`${name}: lists packed behind shared prompts score as one answer at a time`, () => {
    for (const [dtype, tolerance] of [
      ['f32', 1e-5],
      ['f64', 1e-10],
    ] as const) {
      const model = loadModel(fixture(`models/${name}`), dtype)
      const examples = listsOf(name)
      const alone = examples.flatMap((e) => e.answers.flatMap((a) => scores(model, [{ ...e, answers: [a] }])))
      expect(relative(scores(model, examples), alone)).toBeLessThan(tolerance)
      model.dispose()
    }
  })

  test(`${name}: the gradient of every weight is the central difference`, () => {
    const model = loadModel(fixture(`models/${name}`), 'f64')
    const random = createRandom(`entries of ${name}`)
    const [batch] = packLists(listsOf(name), { maxTokens: 1000, lastToken: model.head === 'reward' })
    // Factors of their own, so that no two candidates can stand in for each other.
    const factors = batch.counts.map((_, i) => 0.3 + 0.2 * i)
    const loss = () => ops.sum(ops.mul(scoresOf(model, batch), fromData(Float64Array.from(factors))))
    const names = [...model.weights.keys()]
    scope(() => {
      const weights = names.map((n) => requiresGrad(model.weights.get(n)!))
      const found = gradients([loss()], weights)
      weights.forEach((weight, w) => {
        const gradient = found[w]!.numbers()
        const values = new Float64Array(weight.bytes().buffer, weight.bytes().byteOffset, gradient.length)
        // An embedding row that no token uses has no gradient: one entry is the largest.
        const sizes = gradient.map(Math.abs)
        const entries = [sizes.indexOf(Math.max(...sizes)), random.int(gradient.length)]
        for (const entry of entries) {
          const at = (by: number) => {
            const kept = values[entry]
            values[entry] = kept + by
            const value = noGrad(() => scope(() => loss().item()))
            values[entry] = kept
            return value
          }
          const step = 1e-5
          const difference = (at(step) - at(-step)) / (2 * step)
          expect(Math.abs(gradient[entry] - difference), `${names[w]} [${entry}]`).toBeLessThan(
            1e-6 * Math.max(1, Math.abs(difference)),
          )
        }
        // Without rotary positions the key bias moves all scores of a query alike: it can't show.
        if (model.config.ropes.length > 0 || !names[w].endsWith('k_proj.bias'))
          expect(Math.max(...sizes), names[w]).toBeGreaterThan(1e-8)
      })
    })
    model.dispose()
  })
}
