import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { decode, logits, rewards } from '../../src/models/decoder.js'
import { loadModel } from '../../src/models/load.js'
import { packedStream, singleSequence } from '../../src/nn/layout.js'
import { i64, noGrad, ops, scope } from '../../src/tensor/index.js'
import { fixture, maxDifference, readJson, readTensors } from '../fixtures.js'

const folders = readdirSync(fixture('models'))
const causal = folders.filter((name) => name.startsWith('llama_'))
const rewardModels = folders.filter((name) => name.startsWith('rm_llama'))

interface Case {
  lengths: number[]
  response_start: number[]
}

/** Row i of the batch without its padding. */
function rowIds(name: string): number[][] {
  return scope(() => {
    const expected = readTensors(`models/${name}/expected.safetensors`)
    const ids = expected.get('input_ids')!
    const width = ids.shape[1]
    const all = ids.numbers()
    const mask = expected.get('attention_mask')!.numbers()
    return Array.from({ length: ids.shape[0] }, (_, i) =>
      all.slice(i * width, (i + 1) * width).filter((_, j) => mask[i * width + j] === 1),
    )
  })
}

for (const name of causal) {
  test(`${name}: logits, response log-probs and greedy tokens are those of transformers`, () => {
    const model = loadModel(fixture(`models/${name}`))
    const { lengths, response_start: starts } = readJson<Case>(`models/${name}/case.json`)
    const rows = rowIds(name)
    noGrad(() =>
      scope(() => {
        const expected = readTensors(`models/${name}/expected.safetensors`)
        const wide = expected.get('logits_f64')!
        const logps = expected.get('response_logps_f64')!.numbers()
        const greedy = expected.get('greedy_12')!.numbers()
        const [, width, vocabulary] = wide.shape
        const reference = wide.numbers()
        rows.forEach((ids, i) => {
          const hidden = decode(model, singleSequence(ids))
          const found = logits(model, hidden)
          expect(ids.length).toBe(lengths[i])
          const from = i * width * vocabulary
          expect(
            maxDifference(found.numbers(), reference.slice(from, from + ids.length * vocabulary)),
          ).toBeLessThan(1e-4)
          const head = model.weights.get('lm_head.weight') ?? model.weights.get('model.embed_tokens.weight')!
          const scored = ops.narrow(hidden, 0, starts[i] - 1, ids.length - starts[i])
          const [logp] = ops.linearLogProb(scored, head, i64(ids.slice(starts[i])))
          const at = i * width + starts[i]
          expect(maxDifference(logp.numbers(), logps.slice(at, at + ids.length - starts[i]))).toBeLessThan(
            1e-4,
          )
          const grown = [...ids]
          for (let n = 0; n < 12; n++) {
            const next = scope(() => {
              const last = ops.narrow(decode(model, singleSequence(grown)), 0, grown.length - 1, 1)
              return ops.argmax(logits(model, last)).item()
            })
            grown.push(next)
          }
          expect(grown.slice(ids.length)).toEqual(greedy.slice(i * 12, (i + 1) * 12))
        })
      }),
    )
    model.dispose()
  })
}

for (const name of rewardModels) {
  test(`${name}: rewards are those of transformers, alone and packed`, () => {
    const model = loadModel(fixture(`models/${name}`))
    const rows = rowIds(name)
    noGrad(() =>
      scope(() => {
        const expected = readTensors(`models/${name}/expected.safetensors`).get('score_f64')!.numbers()
        const lastScored = (ids: number[]) => {
          const pad = model.hfConfig.pad_token_id as number
          let last = ids.length - 1
          while (last > 0 && ids[last] === pad) last -= 1
          return last
        }
        rows.forEach((ids, i) => {
          const hidden = decode(model, singleSequence(ids))
          expect(Math.abs(rewards(model, hidden, i64([lastScored(ids)])).item() - expected[i])).toBeLessThan(
            5e-5,
          )
        })
        let at = 0
        const segments = rows.map((ids, task) => {
          const q0 = at
          at += ids.length
          return { q0, q1: at, c0: 0, c1: 0, k0: q0, k1: at, task }
        })
        const positions = rows.flatMap((ids) => ids.map((_, t) => t))
        const hidden = decode(model, packedStream(rows.flat(), positions, segments))
        const last = segments.map((s, i) => s.q0 + lastScored(rows[i]))
        expect(maxDifference(rewards(model, hidden, i64(last)).numbers(), expected)).toBeLessThan(5e-5)
      }),
    )
    model.dispose()
  })
}
