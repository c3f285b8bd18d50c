import { expect, test } from 'vitest'
import { nextTokens } from '../../src/generate/sampling.js'
import { createRandom } from '../../src/random.js'
import { f32, memory, scope } from '../../src/tensor/index.js'

const LOGITS = [1.2, -0.3, 2.5, 0, -4, 1.9]

/** Tokens drawn for each uniform number, from the same logits. */
const draw = (options: { temperature: number; topK?: number; topP?: number }, uniforms: number[]) =>
  scope(() => {
    const rows = f32(
      uniforms.flatMap(() => LOGITS),
      [uniforms.length, LOGITS.length],
    )
    return nextTokens(rows, { topK: 0, topP: 1, ...options }, uniforms)
  })

const shares = (tokens: number[]) =>
  LOGITS.map((_, id) => tokens.filter((t) => t === id).length / tokens.length)

const softmax = (temperature: number, ids = LOGITS.map((_, i) => i)) => {
  const weights = LOGITS.map((x, i) => (ids.includes(i) ? Math.exp(x / temperature) : 0))
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map((w) => w / sum)
}

/** 10,000 evenly spaced numbers: shares are then exact to 1e-4 per boundary. */
const EVEN = Array.from({ length: 10_000 }, (_, i) => (i + 0.5) / 10_000)

function near(found: number[], expected: number[], tolerance: number) {
  for (const [i, share] of found.entries()) expect(Math.abs(share - expected[i])).toBeLessThan(tolerance)
}

test('temperature 0 takes the likeliest token of each row', () => {
  const tokens = scope(() =>
    nextTokens(f32([0, 3, 1, 5, 4, 4], [2, 3]), { temperature: 0, topK: 0, topP: 1 }, []),
  )
  expect(tokens).toEqual([1, 0])
})

for (const temperature of [0.5, 1, 2]) {
  test(`shares at temperature ${temperature} are those of the softmax`, () => {
    near(shares(draw({ temperature }, EVEN)), softmax(temperature), 3e-4)
  })
}

test('drawn with random numbers, shares are those of the softmax within chance', () => {
  const random = createRandom('shares')
  const uniforms = Array.from({ length: 20_000 }, () => random.next())
  // Five standard deviations of a share of one half: 5 * sqrt(0.25 / 20000).
  near(shares(draw({ temperature: 1 }, uniforms)), softmax(1), 0.018)
})

test('top-k 1 and a tiny top-p are greedy whatever the random number', () => {
  const uniforms = [0, 0.3, 0.9999999]
  expect(draw({ temperature: 1, topK: 1 }, uniforms)).toEqual([2, 2, 2])
  expect(draw({ temperature: 1, topP: 1e-6 }, uniforms)).toEqual([2, 2, 2])
})

test('top-k draws among the k likeliest, with their shares of each other', () => {
  near(shares(draw({ temperature: 1, topK: 3 }, EVEN)), softmax(1, [0, 2, 5]), 3e-4)
})

test('top-p draws among the fewest tokens that reach it', () => {
  const p = softmax(1)
  // The likeliest alone miss 0.6 (token 2 has 0.5), with token 5 they reach it.
  expect(p[2]).toBeLessThan(0.6)
  expect(p[2] + p[5]).toBeGreaterThan(0.6)
  near(shares(draw({ temperature: 1, topP: 0.6 }, EVEN)), softmax(1, [2, 5]), 3e-4)
})

test('the ends of the range of random numbers draw tokens of the vocabulary', () => {
  expect(draw({ temperature: 1 }, [0, 1 - 2 ** -53])).toEqual([2, 4])
})

test('tokens without any probability are never drawn', () => {
  const rows = scope(() => {
    const logits = f32([0, Number.NEGATIVE_INFINITY, 1, Number.NEGATIVE_INFINITY], [1, 4])
    return [0, 0.5, 1 - 2 ** -53].map((u) => nextTokens(logits, { temperature: 1, topK: 0, topP: 1 }, [u])[0])
  })
  expect(rows).toEqual([2, 2, 0])
})

test('drawing leaves no tensor behind', () => {
  const before = memory().tensors
  draw({ temperature: 0.7, topK: 4, topP: 0.9 }, [0.1, 0.5])
  expect(memory().tensors).toBe(before)
})
