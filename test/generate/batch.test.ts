import { afterAll, expect, test } from 'vitest'
import { EXIT } from '../../src/exit-codes.js'
import { createBatch } from '../../src/generate/batch.js'
import { generate } from '../../src/generate/generate.js'
import type { GeneratedAnswer, RowOptions } from '../../src/generate/requests.js'
import { memory } from '../../src/tensor/index.js'
import { damageToken, GREEDY, letters, loadTiny, recorded, request } from './tiny-model.js'

const model = loadTiny()
const { prompts, greedy } = recorded()
afterAll(() => model.dispose())

const SAMPLED = { temperature: 0.9, topK: 40, topP: 0.95 }

test('requests with settings of their own enter while others run, and get what each gets alone', async () => {
  const asked: [number, Partial<RowOptions>][] = [
    [0, {}],
    [1, SAMPLED],
    [2, { ...SAMPLED, temperature: 0.5, seed: 3, maxNewTokens: 5 }],
    [1, { maxNewTokens: 3 }],
  ]
  const batch = createBatch(model, letters, 4, 32)
  const answers: (GeneratedAnswer | undefined)[] = []
  for (const [i, [prompt, options]] of asked.entries()) {
    const done = (answer: GeneratedAnswer) => {
      answers[i] = answer
    }
    batch.enter(request(prompts[prompt]), { ...GREEDY, ...options }, { done })
    await batch.step()
  }
  while (batch.live() > 0) await batch.step()
  batch.dispose()
  for (const [i, [prompt, options]] of asked.entries()) {
    const [alone] = await generate(model, letters, [request(prompts[prompt])], { ...GREEDY, ...options })
    expect(answers[i]).toEqual(alone)
  }
  expect(answers[0]?.ids).toEqual(greedy[0])
})

test('a row that leaves makes room for the next one, which sees nothing of it', async () => {
  const batch = createBatch(model, letters, 1, 32)
  const shown: string[] = []
  const first = batch.enter(request(prompts[0]), GREEDY, {
    text: (piece) => void shown.push(piece),
    done: () => expect.unreachable(),
  })
  await batch.step()
  await batch.step()
  expect(batch.free()).toBe(0)
  first.leave()
  expect(await batch.step()).toBe(0)
  expect([batch.free(), shown.length]).toEqual([1, 2])
  const ids: number[] = []
  batch.enter(request(prompts[1]), GREEDY, { done: (answer) => void ids.push(...answer.ids) })
  while (batch.live() > 0) await batch.step()
  expect(ids).toEqual(greedy[1])
  const before = memory().tensors
  batch.dispose()
  expect(memory().tensors).toBeLessThan(before)
})

test('a row whose logits are not finite ends alone, and leaves nothing in its slot', async () => {
  const damaged = loadTiny()
  const unused = damageToken(damaged, [...prompts.flat(), ...greedy.flat()])
  const batch = createBatch(damaged, letters, 2, 32)
  const ids: number[][] = []
  const failures: unknown[] = []
  const enter = (prompt: number[], i: number, options = GREEDY) =>
    batch.enter(request(prompt), options, {
      done: (answer) => {
        ids[i] = answer.ids
      },
      failed: (error) => failures.push(error),
    })
  enter(prompts[0], 0)
  await batch.step()
  enter([...prompts[1], unused], 1, { ...GREEDY, ...SAMPLED, logprobs: 2 } as typeof GREEDY)
  await batch.step()
  expect(failures).toMatchObject([
    { exitCode: EXIT.numerics, message: expect.stringContaining('not finite') },
  ])
  expect([batch.live(), batch.free()]).toEqual([1, 1])
  enter(prompts[2], 2)
  while (batch.live() > 0) await batch.step()
  expect([ids[0], ids[2]]).toEqual([greedy[0], greedy[2]])
  batch.dispose()
  await expect(generate(damaged, letters, [request([unused])], GREEDY)).rejects.toMatchObject({
    exitCode: EXIT.numerics,
  })
  damaged.dispose()
})
