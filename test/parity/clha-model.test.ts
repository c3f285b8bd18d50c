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
import { distance, float32Tolerances, roundWeights } from './rounding.js'

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
    trace,
    optimizer,
    examples,
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

/** All numbers of a recorded file, and those of the same tensors here in the same order. */
const recorded = (path: string): number[] =>
  scope(() => [...readTensors(path).values()].flatMap((tensor) => tensor.numbers()))
const inOrderOf = (path: string, numbers: (name: string) => number[] | undefined): number[] =>
  scope(() => [...readTensors(path).keys()].flatMap((name) => numbers(name) ?? []))

const GRADIENTS = 'clha/model/gradients.safetensors'
/** Parameters before a step. */
const parametersAt = (step: number) => `clha/model/params_step${step}.safetensors`

/** What a training gives at each step: `loss 0` and its parts, `log-probs 0`, …; with a seed, weights are moved by a rounding. */
function train(
  given: SetUp,
  dtype: 'f64' | 'f32',
  maxTokens: number,
  seed?: number,
): Record<string, number[]> {
  const { trace, optimizer } = given
  const model = loadModel(fixture('models/llama_gqa'), dtype)
  const weights = [...model.weights.values()].map((w) => requiresGrad(w))
  const adam = createAdamW(model.weights, {
    beta1: optimizer.betas[0],
    beta2: optimizer.betas[1],
    epsilon: optimizer.eps,
    weightDecay: optimizer.weight_decay,
    decayOn: 'all',
  })
  const out: Record<string, number[]> = {}
  for (const step of trace.keys()) {
    if (step > 0)
      out[`parameters ${step}`] = inOrderOf(parametersAt(step), (name) => model.weights.get(name)?.numbers())
    if (seed !== undefined) roundWeights(model.weights, `${seed} step ${step}`)
    const { loss, rank, sft, sums } = accumulate(model, given, maxTokens)
    out[`loss ${step}`] = [loss, rank, sft]
    out[`log-probs ${step}`] = sums
    if (step === 0) {
      const gradient = (name: string) => gradOf(model.weights.get(name)!)?.numbers()
      out['gradient 0'] = inOrderOf(GRADIENTS, gradient)
    }
    out[`gradient norm ${step}`] = [clipGradients(weights, optimizer.clip_global_norm)]
    adam.step(optimizer.lr)
    adam.clearGradients()
  }
  adam.dispose()
  model.dispose()
  return out
}

/** In float64 only the order of the operations is left to differ; gradients and parameters were written in float32. */
const EXACT: Record<string, number> = { gradient: 1e-6, parameters: 1e-6 }

async function follow(check: Check, maxTokens: readonly number[], given: SetUp): Promise<void> {
  const { trace, optimizer, counts } = given
  check('tokens', unequal(counts, trace[0].count), 0)
  const tolerances = await float32Tolerances((seed) => train(given, 'f64', maxTokens[0], seed))
  for (const [dtype, tokens] of maxTokens.flatMap((n) => [['f64', n] as const, ['f32', n] as const])) {
    const found = train(given, dtype, tokens)
    trace.forEach((expected, step) => {
      const where = `step ${step}, micro-batches of ${tokens} tokens`
      const compare = (what: string, wanted: number[]) => {
        const name = `${what} ${step}`
        const tolerance = dtype === 'f64' ? (EXACT[what] ?? 1e-9) : tolerances[name]
        check(`${dtype} ${what}`, distance(name, found[name], wanted), tolerance, where)
      }
      compare('loss', [expected.loss, expected.rank, expected.sft])
      compare('log-probs', expected.sum_logps.flat())
      if (step === 0) compare('gradient', recorded(GRADIENTS))
      compare('gradient norm', [expected.grad_norm_before_clip])
      if (step === 0) return
      const wanted = recorded(parametersAt(step))
      compare('parameters', wanted)
      const most = dtype === 'f64' ? EXACT.parameters : 2 * optimizer.lr * step
      check(`${dtype} largest`, maxDifference(found[`parameters ${step}`], wanted), most, where)
    })
  }
}

parity('clha/model', (check) => follow(check, [10_000, 40, 1], setUp()))
