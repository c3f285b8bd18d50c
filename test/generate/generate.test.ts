import { afterAll, expect, test } from 'vitest'
import { generate } from '../../src/generate/generate.js'
import type { GenerateHooks, GenerateOptions, GenerateRequest } from '../../src/generate/requests.js'
import { memory } from '../../src/tensor/index.js'
import { GREEDY, letters, lettersOf, loadTiny, recorded, request } from './tiny-model.js'

const model = loadTiny()
const { prompts, greedy } = recorded()
afterAll(() => model.dispose())

const run = async (
  requests: GenerateRequest[],
  options: Partial<GenerateOptions> = {},
  hooks: GenerateHooks = {},
) => (await generate(model, letters, requests, { ...GREEDY, ...options }, hooks)).map((answer) => answer!)

/** Five prompts of different lengths, from 2 to 14 tokens. */
const five = [...prompts, prompts[0].slice(0, 2), prompts[1].slice(0, 5)].map((ids) => request(ids))
const SAMPLED = { temperature: 0.9, topK: 40, topP: 0.95 }

test('greedy decoding over the cache gives the tokens that transformers decodes', async () => {
  for (const batchSize of [1, 3]) {
    const answers = await run(
      prompts.map((ids) => request(ids)),
      { batchSize },
    )
    expect(answers.map(({ ids }) => ids)).toEqual(greedy)
    expect(answers.map(({ text }) => text)).toEqual(greedy.map(lettersOf))
    expect(answers.every(({ finishReason }) => finishReason === 'length')).toBe(true)
  }
})

for (const [name, options] of [
  ['greedy', {}],
  ['sampled', SAMPLED],
] as const) {
  test(`${name}: an answer is the same alone, in a batch of five, and in any order`, async () => {
    const together = await run(five, options)
    const backwards = (await run(five.toReversed(), options)).toReversed()
    for (const [i, one] of five.entries()) {
      const [alone] = await run([one], options)
      expect(together[i]).toEqual(alone)
      expect(backwards[i]).toEqual(alone)
    }
  })

  test(`${name}: more requests than slots give what each gives alone`, async () => {
    const many = Array.from({ length: 11 }, (_, i) =>
      request(prompts[i % 3].slice(0, 2 + (i % 5)), `request ${i}`),
    )
    const limits = { ...options, maxNewTokens: 6 }
    const finished: number[] = []
    const answers = await run(many, { ...limits, batchSize: 2 }, { answer: (i) => void finished.push(i) })
    for (const [i, one] of many.entries()) expect(answers[i]).toEqual((await run([one], limits))[0])
    expect(finished.toSorted((a, b) => a - b)).toEqual(many.map((_, i) => i))
  })
}

test('sampled answers follow the seed and the name of the request', async () => {
  const answer = async (name: string, seed: number) =>
    (await run([request(prompts[0], name)], { temperature: 1, seed }))[0].text
  expect(await answer('a', 1)).toBe(await answer('a', 1))
  expect(await answer('a', 1)).not.toBe(await answer('b', 1))
  expect(await answer('a', 1)).not.toBe(await answer('a', 2))
})

test('a stop id ends the answer and is not part of it; others go on', async () => {
  const stop = greedy[0][4]
  const [first, second] = await run([request(prompts[0]), request(prompts[1])], { stopIds: [stop] })
  const expected = greedy[0].slice(0, greedy[0].indexOf(stop))
  expect(first).toEqual({ ids: expected, endId: stop, text: lettersOf(expected), finishReason: 'stop' })
  expect(second.ids.slice(0, 3)).toEqual(greedy[1].slice(0, 3))
})

test('a stop text that spans two tokens cuts the text before it', async () => {
  const text = lettersOf(greedy[0])
  const stop = text.slice(5, 7)
  const [answer] = await run([request(prompts[0])], { stop: ['not there', stop] })
  expect(answer.text).toBe(text.slice(0, text.indexOf(stop)))
  expect(answer.finishReason).toBe('stop')
  expect(answer.ids.length).toBe(text.indexOf(stop) + 2)
})

test('max_new_tokens and the end of the context both end an answer', async () => {
  const [short] = await run([request(prompts[2])], { maxNewTokens: 3 })
  expect(short).toEqual({
    ids: greedy[2].slice(0, 3),
    text: lettersOf(greedy[2].slice(0, 3)),
    finishReason: 'length',
  })
  const long = Array.from({ length: 125 }, (_, i) => 3 + (i % 60))
  const [full] = await run([request(long)], { maxNewTokens: 50 })
  expect(full.ids).toHaveLength(model.config.maxPositions - 125)
  expect(full.finishReason).toBe('length')
})

test('a prompt that fills the context, or has no token, is refused by name', async () => {
  const full = request(new Array<number>(128).fill(3), 'the long one')
  await expect(run([full])).rejects.toThrow('the long one: a prompt of 128 tokens fills the context of 128')
  await expect(run([request([], 'the empty one')])).rejects.toThrow('the empty one: the prompt has no tokens')
})

test('no requests are answered by nothing', async () => {
  expect(await run([])).toEqual([])
})

test('streamed pieces add up to the text, and a stop text is never shown', async () => {
  const text = lettersOf(greedy[0])
  for (const stop of [[], [text.slice(5, 8)]]) {
    const shown = ['', '']
    const pieces: number[] = []
    const hooks: GenerateHooks = {
      text: (i, piece) => {
        shown[i] += piece
        pieces.push(i)
      },
    }
    const answers = await run([request(prompts[0]), request(prompts[1])], { stop }, hooks)
    expect(shown).toEqual(answers.map((answer) => answer.text))
    expect(pieces.length).toBeGreaterThan(10)
  }
})

test('a requested stop ends generation; finished answers are kept', async () => {
  let steps = 0
  const requests = [request(prompts[0]), request(prompts[1])]
  const answers = await generate(
    model,
    letters,
    requests,
    { ...GREEDY, batchSize: 1 },
    {
      progress: () => void steps++,
      stopRequested: () => steps === 15,
    },
  )
  expect(answers[0]?.ids).toEqual(greedy[0])
  expect(answers[1]).toBeUndefined()
})

test('progress counts finished answers and generated tokens', async () => {
  const seen: [number, number][] = []
  await run(
    [request(prompts[0]), request(prompts[1])],
    { maxNewTokens: 2, batchSize: 1 },
    { progress: (...a) => void seen.push(a) },
  )
  expect(seen).toEqual([
    [0, 1],
    [1, 2],
    [1, 3],
    [2, 4],
  ])
})

test('generation leaves no tensor behind, also after an error in a hook', async () => {
  await run(five, SAMPLED)
  const before = memory().tensors
  await run(five, SAMPLED)
  expect(memory().tensors).toBe(before)
  const failing = run(
    five,
    {},
    {
      text: () => {
        throw new Error('the terminal is gone')
      },
    },
  )
  await expect(failing).rejects.toThrow('the terminal is gone')
  expect(memory().tensors).toBe(before)
})
