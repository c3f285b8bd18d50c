import { afterAll, expect, test } from 'vitest'
import { createBatch } from '../../src/generate/batch.js'
import type { GeneratedAnswer } from '../../src/generate/requests.js'
import { scope } from '../../src/tensor/index.js'
import { readTensors } from '../fixtures.js'
import { GREEDY, letters, loadTiny, recorded } from './tiny-model.js'

const model = loadTiny()
afterAll(() => model.dispose())
const { prompts, greedy } = recorded()

/** Log-probabilities of the first token after a prompt, from the logits that transformers recorded. */
const expectedOf = (prompt: number): number[] =>
  scope(() => {
    const logits = readTensors('models/llama_gqa/expected.safetensors').get(`alone_${prompt}_logits_f32`)!
    const last = logits.numbers().slice(-128)
    const most = Math.max(...last)
    const norm = most + Math.log(last.reduce((sum, value) => sum + Math.exp(value - most), 0))
    return last.map((value) => value - norm)
  })

async function decoded(options: object[]): Promise<GeneratedAnswer[]> {
  const batch = createBatch(model, letters, options.length, 32)
  const answers: GeneratedAnswer[] = []
  options.forEach((more, i) => {
    const done = (answer: GeneratedAnswer) => {
      answers[i] = answer
    }
    batch.enter({ promptIds: prompts[i], name: String(i) }, { ...GREEDY, ...more }, { done })
  })
  while (batch.live() > 0) await batch.step()
  batch.dispose()
  return answers
}

test('log-probabilities are those of the model, whatever the temperature; rows that ask for none get none', async () => {
  const answers = await decoded([{ logprobs: 3 }, { logprobs: 0, temperature: 5, seed: 3 }, {}])
  expect(answers[0].ids).toEqual(greedy[0])
  const [first] = answers[0].logprobs!
  const expected = expectedOf(0)
  const rank = [...expected.keys()].sort((a, b) => expected[b] - expected[a])
  expect(first.id).toBe(greedy[0][0])
  expect(first.top.map(({ id }) => id)).toEqual(rank.slice(0, 3))
  for (const { id, logprob } of [first, ...first.top]) expect(logprob).toBeCloseTo(expected[id], 4)
  expect(answers[0].logprobs!.map(({ id }) => id)).toEqual(greedy[0])
  const [drawn] = answers[1].logprobs!
  expect(drawn.id).toBe(answers[1].ids[0])
  expect(drawn.logprob).toBeCloseTo(expectedOf(1)[drawn.id], 4)
  expect(drawn.top).toEqual([])
  expect(answers[2]).not.toHaveProperty('logprobs')
})
