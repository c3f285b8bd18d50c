/** A CLHA step on a recorded model, from tokens to parameters, in any split into micro-batches. */
import { packLists } from '../../src/data/encode/pack.js'
import { clhaDenominators, clhaLoss } from '../../src/losses/clha.js'
import type { Decoder } from '../../src/models/decoder/decoder.js'
import { candidateLogProbs } from '../../src/models/decoder/score.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { createAdamW } from '../../src/optim/adamw.js'
import { clipGradients } from '../../src/optim/clip.js'
import { backward, gradOf, requiresGrad, scope } from '../../src/tensor/index.js'
import { fixture, maxDifference, readJson, readTensors } from '../fixtures.js'
import { answer, encoded } from '../helpers/encoded.js'
import { legacyLists, legacyOptions } from '../losses/lists.js'
import { type Check, parity, unequal } from './parity.js'

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
      if (rows.some(({ prompt }) => unequal(prompt, rows[0].prompt) > 0))
        throw new Error(`list ${i}: its replies stand behind different prompts`)
      return encoded(
        `${i}`,
        rows[0].prompt,
        rows.map((r) => answer(r.reply)),
      )
    })
    return { examples, rewards: examples.map((_, i) => rewards.slice(i * replies, (i + 1) * replies)) }
  })
}

/** What every variant of the run shares. */
function setUp() {
  const { loss, optimizer, trace_f64: trace } = readJson<Case>('clha/model/case.json')
  const { examples, rewards } = inputs()
  return {
    ...{ trace, optimizer, examples },
    lists: legacyLists(rewards, loss.threshold),
    options: legacyOptions(rewards[0].length, loss.margin, loss.sft_weight),
    counts: examples.map((e) => e.answers.map((a) => a.ids.length - a.scoredFrom)),
  }
}

type SetUp = ReturnType<typeof setUp>

/** One pass over the step in micro-batches; gradients are left on the weights. */
function accumulate(model: Decoder, { examples, lists, options, counts }: SetUp, maxTokens: number) {
  const denominators = clhaDenominators(lists, counts, options)
  const found = { loss: 0, rank: 0, sft: 0, sums: [] as number[] }
  for (const batch of packLists(examples, { maxTokens, lastToken: false })) {
    scope(() => {
      const { sum } = candidateLogProbs(model, batch)
      const scores = { sum, counts: batch.counts, offsets: batch.offsets }
      const { total, parts } = clhaLoss(
        scores,
        batch.places.map((i) => lists[i]),
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
      largest = Math.max(largest, maxDifference(found, expected))
      above += found.filter((x, i) => !(Math.abs(x - expected[i]) <= 1e-6)).length
      all += found.length
    }
    return { largest, share: above / all }
  })
}

/** AdamW's first steps are close to the sign of the gradient: in f32, entries near zero are the least certain. */
const TOLERANCES = {
  f64: { value: 1e-9, gradient: 1e-6, parameters: 1e-6, share: 0 },
  f32: { value: 1e-4, gradient: 1e-4, parameters: 2e-4, share: 1e-3 },
}

function follow(check: Check, dtype: 'f64' | 'f32', maxTokens: number, given: SetUp): void {
  const { trace, optimizer, counts } = given
  const tolerance = TOLERANCES[dtype]
  const model = loadModel(fixture('models/llama_gqa'), dtype)
  const weights = [...model.weights.values()].map((w) => requiresGrad(w))
  const adam = createAdamW(model.weights, {
    beta1: optimizer.betas[0],
    beta2: optimizer.betas[1],
    epsilon: optimizer.eps,
    weightDecay: optimizer.weight_decay,
    decayOn: 'all',
  })
  check('tokens', unequal(counts, trace[0].count), 0)
  trace.forEach((expected, step) => {
    const where = `step ${step}, micro-batches of ${maxTokens} tokens`
    const measure = (what: string, difference: number, most: number) =>
      check(`${dtype} ${what}`, difference, most, where)
    if (step > 0) {
      const value = (name: string) => model.weights.get(name)?.numbers() ?? []
      const { largest, share } = compare(`clha/model/params_step${step}.safetensors`, value)
      measure('parameters', largest, tolerance.parameters)
      measure('share of parameters above 1e-6', share, tolerance.share)
    }
    const found = accumulate(model, given, maxTokens)
    const parts = [expected.loss, expected.rank, expected.sft]
    measure('loss', maxDifference([found.loss, found.rank, found.sft], parts), tolerance.value)
    measure('log-probs', maxDifference(found.sums, expected.sum_logps.flat()), tolerance.value)
    if (step === 0) {
      const gradient = (name: string) => scope(() => gradOf(model.weights.get(name)!)?.numbers() ?? [])
      measure('gradient', compare('clha/model/gradients.safetensors', gradient).largest, tolerance.gradient)
    }
    const norm = clipGradients(weights, optimizer.clip_global_norm)
    measure('gradient norm', Math.abs(norm - expected.grad_norm_before_clip), tolerance.value)
    adam.step(optimizer.lr)
    adam.clearGradients()
  })
  adam.dispose()
  model.dispose()
}

parity('clha/model', (check) => {
  const given = setUp()
  for (const [dtype, maxTokens] of [
    ['f64', 10_000],
    ['f64', 1],
    ['f32', 10_000],
    ['f32', 40],
  ] as const)
    follow(check, dtype, maxTokens, given)
})
