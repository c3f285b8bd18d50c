import { expect, test } from 'vitest'
import { packLists } from '../../src/data/pack.js'
import type { Decoder } from '../../src/models/decoder.js'
import { loadModel } from '../../src/models/load.js'
import { candidateLogProbs } from '../../src/models/score.js'
import { noGrad, ops, scope } from '../../src/tensor/index.js'
import { fixture, maxDifference, readJson, readTensors } from '../fixtures.js'
import { answer, encoded } from '../helpers/encoded.js'

interface Case {
  replay_f64: { policy_sum: number[]; reference_sum: number[] }[]
  trl_logs: { 'logps/chosen': number; 'logps/rejected': number }[]
}

const { replay_f64: replay, trl_logs: logs } = readJson<Case>('trl_dpo/case.json')

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
      expect(row(i + rows / 2, 0)).toEqual(row(i, 0))
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

for (const step of [0, 1, 2]) {
  test(`step ${step}: log-prob sums of policy and reference are those of TRL's DPO trainer`, () => {
    const policy =
      step === 0
        ? loadModel(fixture('models/llama_gqa'))
        : withWeights(`trl_dpo/params_step${step}.safetensors`)
    const reference = withWeights('trl_dpo/reference.safetensors')
    const found = sums(policy, step)
    expect(maxDifference(found, replay[step].policy_sum)).toBeLessThan(1e-4)
    expect(maxDifference(sums(reference, step), replay[step].reference_sum)).toBeLessThan(1e-4)
    expect(Math.abs(mean(found.slice(0, 4)) - logs[step]['logps/chosen'])).toBeLessThan(1e-4)
    expect(Math.abs(mean(found.slice(4)) - logs[step]['logps/rejected'])).toBeLessThan(1e-4)
    policy.dispose()
    reference.dispose()
  })
}
