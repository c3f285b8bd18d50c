/** Three steps of TRL's DPO trainer: log-prob sums, loss, its log and the parameters. */
import { packLists } from '../../src/data/encode/pack.js'
import { dpoTerm } from '../../src/losses/dpo.js'
import type { Decoder } from '../../src/models/decoder/decoder.js'
import { candidateLogProbs } from '../../src/models/decoder/score.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { createAdamW } from '../../src/optim/adamw.js'
import { noGrad, ops, requiresGrad, scope } from '../../src/tensor/index.js'
import { packStep } from '../../src/train/loop/items.js'
import { referenceLogProbs } from '../../src/train/loop/reference.js'
import { trainStep } from '../../src/train/loop/step.js'
import { Tally } from '../../src/train/loop/step-metrics.js'
import { pairwiseObjective } from '../../src/train/objectives/objective-pairs.js'
import { fixture, maxDifference, readJson, readTensors } from '../fixtures.js'
import { answer, encoded } from '../helpers/encoded.js'
import { type Check, parity, unequal } from './parity.js'

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

function withWeights(path: string): Decoder {
  const model = loadModel(fixture('models/llama_gqa'))
  scope(() => {
    for (const [name, tensor] of readTensors(path)) ops.copyInPlace(model.weights.get(name)!, tensor)
  })
  return model
}

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length

const SUMS = 1e-4

function checkSums(check: Check, step: number, { replay_f64: replay, trl_logs: logs }: Case): void {
  const policy =
    step === 0
      ? loadModel(fixture('models/llama_gqa'))
      : withWeights(`trl_dpo/params_step${step}.safetensors`)
  const reference = withWeights('trl_dpo/reference.safetensors')
  const where = `step ${step}`
  const found = sums(policy, step)
  check('log-prob sums', maxDifference(found, replay[step].policy_sum), SUMS, where)
  check('reference', maxDifference(sums(reference, step), replay[step].reference_sum), SUMS, where)
  const half = found.length / 2
  const means = [mean(found.slice(0, half)), mean(found.slice(half))]
  check(
    'logged sums',
    maxDifference(means, [logs[step]['logps/chosen'], logs[step]['logps/rejected']]),
    SUMS,
    where,
  )
  policy.dispose()
  reference.dispose()
}

/** The pairs of a step as items, with the log-probabilities of the frozen reference. */
async function itemsOf(step: number) {
  const encoded = pairs(step)
  const model = withWeights('trl_dpo/reference.safetensors')
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

const LOGGED = ['chosen', 'rejected', 'accuracies', 'margins'].map((name) => `rewards/${name}`)

/** Losses and parameters of all steps, trained here in micro-batches of at most `maxTokens`. */
async function checkSteps(check: Check, { config, replay_f64, trl_logs: logs }: Case, maxTokens: number) {
  const model = loadModel(fixture('models/llama_gqa'))
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
  for (const [step, replay] of replay_f64.entries()) {
    const where = `step ${step}, micro-batches of ${maxTokens} tokens`
    const tally = new Tally()
    const plan = packStep(await itemsOf(step), { maxTokens, lastToken: false })
    const options = { learningRate: config.lr, maxGradNorm: config.max_grad_norm }
    const row = trainStep({ model, objective }, plan, optimizer, tally, options)
    check('loss', Math.abs((row?.loss ?? Number.NaN) - replay.loss), 1e-5, where)
    check('gradient norm', Math.abs((row?.grad_norm ?? Number.NaN) - replay.grad_norm), 1e-4, where)
    const found: Record<string, number> = { ...tally.means() }
    for (const name of [...LOGGED, 'logps/chosen', 'logps/rejected'])
      check('log', Math.abs(found[name] - logs[step][name]), 1e-4, `${where}: ${name}`)
    scope(() => {
      for (const [name, expected] of readTensors(`trl_dpo/params_step${step + 1}.safetensors`)) {
        const weight = model.weights.get(name)?.numbers() ?? []
        check('parameters', maxDifference(weight, expected.numbers()), 2e-5, `${where}: ${name}`)
      }
    })
  }
  optimizer.dispose()
  model.dispose()
}

parity('trl_dpo', async (check) => {
  const recorded = readJson<Case>('trl_dpo/case.json')
  for (const step of recorded.replay_f64.keys()) checkSums(check, step, recorded)
  for (const maxTokens of [1000, 1]) await checkSteps(check, recorded, maxTokens)
})
