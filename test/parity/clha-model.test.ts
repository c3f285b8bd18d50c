import { expect, test } from 'vitest'
import { packLists } from '../../src/data/pack.js'
import { clhaDenominators, clhaLoss } from '../../src/losses/clha.js'
import type { Decoder } from '../../src/models/decoder.js'
import { loadModel } from '../../src/models/load.js'
import { candidateLogProbs } from '../../src/models/score.js'
import { createAdamW } from '../../src/optim/adamw.js'
import { clipGradients } from '../../src/optim/clip.js'
import { backward, type DType, gradOf, requiresGrad, scope } from '../../src/tensor/index.js'
import { fixture, maxDifference, readJson, readTensors } from '../fixtures.js'
import { answer, encoded } from '../helpers/encoded.js'
import { legacyLists, legacyOptions } from '../losses/lists.js'

interface Trace {
  loss: number
  rank: number
  sft: number
  sum_logps: number[][]
  count: number[][]
  grad_norm_before_clip: number
}
interface Case {
  loss: { threshold: number; margin: number; sft_weight: number }
  optimizer: {
    lr: number
    betas: [number, number]
    eps: number
    weight_decay: number
    clip_global_norm: number
  }
  trace_f64: Trace[]
}

const { loss, optimizer, trace_f64: trace } = readJson<Case>('clha/model/case.json')

/** Four prompts with three replies each, as the fixture's padded rows. */
function inputs() {
  return scope(() => {
    const tensors = readTensors('clha/model/inputs.safetensors')
    const [lists, replies, width] = tensors.get('input_ids')!.shape
    const [ids, mask, starts, rewards] = ['input_ids', 'attention_mask', 'response_start', 'reward'].map(
      (n) => tensors.get(n)!.numbers(),
    )
    const examples = Array.from({ length: lists }, (_, i) => {
      const rows = Array.from({ length: replies }, (_, k) => {
        const at = (i * replies + k) * width
        const row = ids.slice(at, at + width).filter((_, t) => mask[at + t] === 1)
        const start = starts[i * replies + k]
        return { prompt: row.slice(0, start), reply: row.slice(start) }
      })
      for (const { prompt } of rows) expect(prompt).toEqual(rows[0].prompt)
      return encoded(
        `${i}`,
        rows[0].prompt,
        rows.map((r) => answer(r.reply)),
      )
    })
    return { examples, rewards: examples.map((_, i) => rewards.slice(i * replies, (i + 1) * replies)) }
  })
}

const { examples, rewards } = inputs()
const lists = legacyLists(rewards, loss.threshold)
const options = legacyOptions(3, loss.margin, loss.sft_weight)
const counts = examples.map((e) => e.answers.map((a) => a.ids.length - a.scoredFrom))

/** One pass over the step in micro-batches; gradients are left on the weights. */
function accumulate(model: Decoder, maxTokens: number) {
  const denominators = clhaDenominators(lists, counts, options)
  const found = { loss: 0, rank: 0, sft: 0, sums: [] as number[] }
  for (const batch of packLists(examples, { maxTokens, lastToken: false })) {
    scope(() => {
      const { sum } = candidateLogProbs(model, batch)
      const scores = { sum, counts: batch.counts, offsets: batch.offsets }
      const { total, parts } = clhaLoss(
        scores,
        batch.lists.map((i) => lists[i]),
        options,
        denominators,
      )
      backward(total)
      found.loss += total.item()
      found.rank += parts.rank_loss.item()
      found.sft += parts.sft_loss.item()
      found.sums.push(...sum.numbers())
    })
  }
  return found
}

/** Differences of all parameters from recorded ones: the largest, and the share above 1e-6. */
function compare(path: string, value: (name: string) => number[]) {
  return scope(() => {
    let [largest, above, all] = [0, 0, 0]
    for (const [name, tensor] of readTensors(path)) {
      const [found, expected] = [value(name), tensor.numbers()]
      expect(found.length).toBe(expected.length)
      largest = Math.max(largest, maxDifference(found, expected))
      above += found.filter((x, i) => !(Math.abs(x - expected[i]) <= 1e-6)).length
      all += found.length
    }
    return { largest, share: above / all }
  })
}

for (const [dtype, maxTokens] of [
  ['f64', 10_000],
  ['f64', 1],
  ['f32', 10_000],
  ['f32', 40],
] as [DType, number][]) {
  test(`${dtype}, micro-batches of ${maxTokens} tokens: loss, full gradient and three AdamW steps of the reference`, () => {
    expect(counts).toEqual(trace[0].count)
    const model = loadModel(fixture('models/llama_gqa'), dtype)
    const weights = [...model.weights.values()].map((w) => requiresGrad(w))
    const adam = createAdamW(model.weights, {
      beta1: optimizer.betas[0],
      beta2: optimizer.betas[1],
      epsilon: optimizer.eps,
      weightDecay: optimizer.weight_decay,
      decayOn: 'all',
    })
    trace.forEach((expected, step) => {
      if (step > 0) {
        const { largest, share } = compare(`clha/model/params_step${step}.safetensors`, (n) =>
          model.weights.get(n)!.numbers(),
        )
        // AdamW's first step is close to the sign of the gradient: entries near zero are the least certain in f32
        expect(largest).toBeLessThan(dtype === 'f64' ? 1e-6 : 2e-4)
        expect(share).toBeLessThan(dtype === 'f64' ? 1e-9 : 1e-3)
      }
      const found = accumulate(model, maxTokens)
      const tolerance = dtype === 'f64' ? 1e-9 : 1e-4
      expect(
        maxDifference([found.loss, found.rank, found.sft], [expected.loss, expected.rank, expected.sft]),
      ).toBeLessThan(tolerance)
      expect(maxDifference(found.sums, expected.sum_logps.flat())).toBeLessThan(tolerance)
      if (step === 0) {
        const gradient = (name: string) => scope(() => gradOf(model.weights.get(name)!)!.numbers())
        const { largest } = compare('clha/model/gradients.safetensors', gradient)
        expect(largest).toBeLessThan(dtype === 'f64' ? 1e-6 : 1e-4)
      }
      const norm = clipGradients(weights, optimizer.clip_global_norm)
      expect(Math.abs(norm - expected.grad_norm_before_clip)).toBeLessThan(tolerance)
      adam.step(optimizer.lr)
      adam.clearGradients()
    })
    adam.dispose()
    model.dispose()
  })
}
