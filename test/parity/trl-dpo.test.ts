/** Three steps of TRL's DPO trainer: log-prob sums, loss, its log and the parameters. */
import { packLists } from '../../src/data/encode/pack.js'
import { dpoTerm } from '../../src/losses/dpo.js'
import type { Decoder } from '../../src/models/decoder/decoder.js'
import { candidateLogProbs } from '../../src/models/decoder/score.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { createAdamW } from '../../src/optim/adamw.js'
import { type DType, noGrad, ops, requiresGrad, scope } from '../../src/tensor/index.js'
import { packStep } from '../../src/train/loop/items.js'
import { referenceLogProbs } from '../../src/train/loop/reference.js'
import { trainStep } from '../../src/train/loop/step.js'
import { Tally } from '../../src/train/loop/step-metrics.js'
import { pairwiseObjective } from '../../src/train/objectives/objective-pairs.js'
import { fixture, maxDifference, readJson, readTensors } from '../fixtures.js'
import { answer, encoded } from '../helpers/encoded.js'
import { type Check, parity, unequal } from './parity.js'
import { distance, float32Tolerances, roundWeights } from './rounding.js'

interface Case {
  config: {
    beta: number
    lr: number
    betas: number[]
    eps: number
    weight_decay: number
    max_grad_norm: number
  }
  replay_f64: { loss: number; grad_norm: number; policy_sum: number[]; reference_sum: number[] }[]
  trl_logs: Record<string, number>[]
}

/** The pairs that the trainer saw at a step: rows i (chosen) and i + 4 (rejected) share a prompt. */
function pairs(step: number) {
  return scope(() => {
    const tensors = readTensors('trl_dpo/batches.safetensors')
    const get = (name: string) => tensors.get(`step${step}.${name}`)!
    const [rows, width] = get('input_ids').shape
    const [ids, attended, completion] = ['input_ids', 'attention_mask', 'completion_mask'].map((n) =>
      get(n).numbers(),
    )
    const row = (r: number, wanted: number) =>
      ids
        .slice(r * width, (r + 1) * width)
        .filter((_, t) => attended[r * width + t] === 1 && completion[r * width + t] === wanted)
    return Array.from({ length: rows / 2 }, (_, i) => {
      if (unequal(row(i + rows / 2, 0), row(i, 0))) throw new Error(`step ${step}: pair ${i} has two prompts`)
      return encoded(`${i}`, row(i, 0), [answer(row(i, 1)), answer(row(i + rows / 2, 1))])
    })
  })
}

/** Log-prob sums in the trainer's order: chosen answers, then rejected ones. */
function sums(model: Decoder, step: number): number[] {
  return noGrad(() =>
    scope(() => {
      const [batch] = packLists(pairs(step), { maxTokens: 10_000, lastToken: false })
      const flat = candidateLogProbs(model, batch).sum.numbers()
      return [...flat.filter((_, i) => i % 2 === 0), ...flat.filter((_, i) => i % 2 === 1)]
    }),
  )
}

function withWeights(path: string, dtype: DType): Decoder {
  const model = loadModel(fixture('models/llama_gqa'), dtype)
  scope(() => {
    for (const [name, tensor] of readTensors(path)) ops.copyInPlace(model.weights.get(name)!, tensor)
  })
  return model
}

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length

/** In float64 only the order of the operations is left to differ. */
const EXACT = 1e-9

/** The model before a step, as TRL had it. */
const policyBefore = (step: number, dtype: DType) =>
  step === 0
    ? loadModel(fixture('models/llama_gqa'), dtype)
    : withWeights(`trl_dpo/params_step${step}.safetensors`, dtype)

function sumsOf(model: Decoder, step: number, seed?: number): number[] {
  if (seed !== undefined) roundWeights(model.weights, seed)
  const found = sums(model, step)
  model.dispose()
  return found
}

async function checkSums(check: Check, step: number, { replay_f64: replay, trl_logs: logs }: Case) {
  const where = `step ${step}`
  const reference = (dtype: DType) => withWeights('trl_dpo/reference.safetensors', dtype)
  const wanted = { policy: replay[step].policy_sum, reference: replay[step].reference_sum }
  const tolerances = await float32Tolerances((seed) => ({
    policy: sumsOf(policyBefore(step, 'f64'), step, seed),
    reference: sumsOf(reference('f64'), step, seed),
  }))
  const found = sumsOf(policyBefore(step, 'f32'), step)
  check('log-prob sums', maxDifference(found, wanted.policy), tolerances.policy, where)
  const held = sumsOf(reference('f32'), step)
  check('reference', maxDifference(held, wanted.reference), tolerances.reference, where)
  const half = found.length / 2
  const means = [mean(found.slice(0, half)), mean(found.slice(half))]
  const logged = [logs[step]['logps/chosen'], logs[step]['logps/rejected']]
  check('logged sums', maxDifference(means, logged), tolerances.policy, where)
}

/** The pairs of a step as items, with the log-probabilities of the frozen reference. */
async function itemsOf(step: number, dtype: DType, seed?: string) {
  const encoded = pairs(step)
  const model = withWeights('trl_dpo/reference.safetensors', dtype)
  if (seed !== undefined) roundWeights(model.weights, seed)
  const reference = await referenceLogProbs(model, encoded, { maxTokens: 1000 })
  model.dispose()
  const pair = { better: 0, worse: 1, distance: 1, weight: 1 }
  return encoded.map((e, i) => ({
    encoded: e,
    pairs: [pair],
    sft: { index: 0, weight: 1 },
    labels: [],
    reference: reference?.[i],
  }))
}

const REWARDS = ['chosen', 'rejected', 'accuracies', 'margins'].map((name) => `rewards/${name}`)
const LOGGED = [...REWARDS, 'logps/chosen', 'logps/rejected']

/** What a training gives at each step: `loss 0`, `gradient norm 0`, `log 0` in the order of LOGGED, `parameters 0` after it. */
type Trained = Record<string, number[]>

/** All steps, trained here in micro-batches of at most `maxTokens`; with a seed, the weights before each are moved by a rounding. */
async function train({ config, replay_f64 }: Case, dtype: DType, maxTokens: number, seed?: number) {
  const model = loadModel(fixture('models/llama_gqa'), dtype)
  for (const weight of model.weights.values()) requiresGrad(weight)
  const optimizer = createAdamW(model.weights, {
    beta1: config.betas[0],
    beta2: config.betas[1],
    epsilon: config.eps,
    weightDecay: config.weight_decay,
    decayOn: 'matrices',
  })
  const { beta } = config
  const objective = pairwiseObjective({
    name: 'dpo',
    term: dpoTerm({ beta, labelSmoothing: 0 }),
    reward: (sum, _count, reference) => beta * (sum - reference),
    nllWeight: 0,
    sftWeight: 0,
  })
  const options = { learningRate: config.lr, maxGradNorm: config.max_grad_norm }
  const out: Trained = {}
  for (const step of replay_f64.keys()) {
    const tally = new Tally()
    if (seed !== undefined) roundWeights(model.weights, `${seed} step ${step}`)
    const reference = seed === undefined ? undefined : `${seed} reference`
    const plan = packStep(await itemsOf(step, dtype, reference), { maxTokens, lastToken: false })
    const row = trainStep({ model, objective }, plan, optimizer, tally, options)
    const means: Record<string, number> = { ...tally.means() }
    out[`loss ${step}`] = [row?.loss ?? Number.NaN]
    out[`gradient norm ${step}`] = [row?.grad_norm ?? Number.NaN]
    out[`log ${step}`] = LOGGED.map((name) => means[name])
    out[`parameters ${step}`] = scope(() =>
      inRecordedOrder(step, (name) => model.weights.get(name)?.numbers()),
    )
  }
  optimizer.dispose()
  model.dispose()
  return out
}

/** Numbers of all tensors that were recorded after a step, one after the other. */
const inRecordedOrder = (step: number, numbers: (name: string) => number[] | undefined): number[] =>
  [...readTensors(`trl_dpo/params_step${step + 1}.safetensors`).keys()].flatMap((name) => numbers(name) ?? [])

const recordedParameters = (step: number): number[] =>
  scope(() =>
    [...readTensors(`trl_dpo/params_step${step + 1}.safetensors`).values()].flatMap((t) => t.numbers()),
  )

async function checkSteps(check: Check, recorded: Case, maxTokens: number) {
  const { config, replay_f64: replay, trl_logs: logs } = recorded
  const tolerances = await float32Tolerances((seed) => train(recorded, 'f64', maxTokens, seed))
  for (const dtype of ['f64', 'f32'] as const) {
    const found = await train(recorded, dtype, maxTokens)
    for (const step of replay.keys()) {
      const where = `step ${step}, micro-batches of ${maxTokens} tokens`
      const compare = (what: string, wanted: number[], exact?: number) => {
        const name = `${what} ${step}`
        const tolerance = (dtype === 'f64' && exact) || tolerances[name]
        check(`${dtype} ${what}`, distance(name, found[name], wanted), tolerance, where)
      }
      compare('loss', [replay[step].loss], EXACT)
      compare('gradient norm', [replay[step].grad_norm], EXACT)
      // TRL itself computed these in float32.
      compare(
        'log',
        LOGGED.map((name) => logs[step][name]),
      )
      const parameters = recordedParameters(step)
      compare('parameters', parameters)
      const largest = maxDifference(found[`parameters ${step}`], parameters)
      check(`${dtype} largest`, largest, 2 * config.lr * (step + 1), where)
    }
  }
}

parity('trl_dpo', async (check) => {
  const recorded = readJson<Case>('trl_dpo/case.json')
  for (const step of recorded.replay_f64.keys()) await checkSums(check, step, recorded)
  for (const maxTokens of [1000, 1]) await checkSteps(check, recorded, maxTokens)
})
