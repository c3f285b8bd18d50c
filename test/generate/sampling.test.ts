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

test.each([1e-3, 9e-4, 1e-38, 1e-40, 5e-324])('temperature %d draws the likeliest token', (temperature) => {
  for (const among of [{}, { topK: 3 }, { topP: 0.9 }])
    expect(draw({ temperature, ...among }, [0, 0.5, 0.9999999])).toEqual([2, 2, 2])
})

test('shares at sharp temperatures are those of the softmax of the differences', () => {
  const uniforms = EVEN.filter((_, i) => i % 10 === 0)
  const at = (temperature: number) =>
    scope(() =>
      uniforms.map((u) => nextTokens(f32([0, 5e-4], [1, 2]), { temperature, topK: 0, topP: 1 }, [u])[0]),
    )
  for (const temperature of [1e-3, 5e-4]) {
    const first = at(temperature).filter((token) => token === 1).length / uniforms.length
    expect(Math.abs(first - 1 / (1 + Math.exp(-5e-4 / temperature)))).toBeLessThan(2e-3)
  }
})

test.each([0, 1e-40, 1])('logits that are not finite are refused at temperature %d', (temperature) => {
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY])
    for (const topK of [0, 2])
      expect(() =>
        scope(() => nextTokens(f32([1, wrong, 3], [1, 3]), { temperature, topK, topP: 1 }, [0.5])),
      ).toThrow('not finite')
})

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

/** The token whose share of the falling shares holds the random number, in double precision. */
function reference(logits: readonly number[], uniform: number, topP: number): number {
  const falling = logits
    .map((logit, id) => ({ id, weight: Math.exp(logit) }))
    .sort((a, b) => b.weight - a.weight)
  const total = falling.reduce((sum, { weight }) => sum + weight, 0)
  const upTo = (mass: number) => {
    let sum = 0
    return falling.findIndex(({ weight }) => {
      sum += weight
      return sum > mass
    })
  }
  const nucleus = falling.slice(0, upTo(topP * total * (1 - 1e-12)) + 1)
  const mass = nucleus.reduce((sum, { weight }) => sum + weight, 0)
  return falling[Math.min(upTo(uniform * mass), nucleus.length - 1)].id
}

test.each([
  ['peaked', 4, 1],
  ['flat: most draws end behind the likeliest', 0.1, 1],
  ['peaked, top-p 0.9', 4, 0.9],
  ['flat, top-p 0.9', 0.1, 0.9],
])('of 3,000 tokens the one is drawn that all of them sorted give: %s', (_, spread, topP) => {
  const random = createRandom(`vocabulary ${spread}`)
  const rows = Array.from({ length: 40 }, () =>
    Array.from(Float32Array.from({ length: 3000 }, () => spread * random.normal())),
  )
  const uniforms = rows.map(() => random.next())
  const tokens = scope(() =>
    nextTokens(f32(rows.flat(), [40, 3000]), { temperature: 1, topK: 0, topP }, uniforms),
  )
  expect(tokens).toEqual(rows.map((row, i) => reference(row, uniforms[i], topP)))
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
