import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { mirroredNormals } from '../../src/rescore/noise/mirrored-normals.js'
import { rankDefaults } from '../../src/rescore/rank.js'
import { requireCalibratable, rescoreLists } from '../../src/rescore/rescore.js'
import { thrown } from '../helpers/folders.js'
import { example } from './helpers.js'

const random = createRandom('perplexity')
const gaps = Array.from({ length: 1500 }, () => (random.next() < 0.8 ? 0.6 : -0.6) + 0.5 * random.normal())
const normal = (x: number, mu: number, sigma: number) =>
  Math.exp(-((x - mu) ** 2) / (2 * sigma ** 2)) / (sigma * Math.sqrt(2 * Math.PI))
const density = (d: number, alpha: number, mu: number, sigma: number) =>
  alpha * normal(d, mu, sigma) + (1 - alpha) * normal(d, -mu, sigma)

test('two mirrored normals: the maximum of the likelihood, near what was simulated', () => {
  const { alpha, mu, sigma } = mirroredNormals(gaps)
  expect(alpha).toBeCloseTo(0.8, 1)
  expect(mu).toBeCloseTo(0.6, 1)
  expect(sigma).toBeCloseTo(0.5, 1)
  const value = (a: number, m: number, s: number) =>
    gaps.reduce((sum, d) => sum + Math.log(density(d, a, m, s)), 0)
  const best = value(alpha, mu, sigma)
  // At a maximum the slope is nothing.
  for (const h of [1e-4, -1e-4]) {
    expect(value(alpha + h, mu, sigma)).toBeLessThan(best)
    expect(value(alpha, mu + h, sigma)).toBeLessThan(best)
    expect(value(alpha, mu, sigma + h)).toBeLessThan(best)
  }
})

test("a label's belief is the share of the first normal at its PPLDiff, to 1e-10, and is reversed below one half", () => {
  const examples = gaps.map((_, i) => example(2, [[0, 1]], { id: String(i), prompt: `q ${i}`, row: i + 1 }))
  const { lists, audit } = rescoreLists({
    examples,
    rewards: gaps.map((d) => [d, 0]),
    options: { rank: { ...rankDefaults, labelSource: 'perplexity' } },
  })
  const { alpha, mu, sigma } = mirroredNormals(gaps)
  for (const [i, { labels, order }] of lists.entries()) {
    const right = (alpha * normal(gaps[i], mu, sigma)) / density(gaps[i], alpha, mu, sigma)
    expect(Math.abs(labels[0].belief - right)).toBeLessThan(1e-10)
    expect(labels[0].verdict === 'reversed').toBe(right < 0.5)
    expect(order[0]).toBe(right < 0.5 ? 1 : 0)
  }
  expect(audit.labelSource).toBe('posterior')
})

test('a model that finds chosen answers no likelier is refused', () => {
  expect(() => mirroredNormals(gaps.map((d) => -d))).toThrow('chosen answers no likelier')
})

test('of too few prompts the advice names no key that label_source: perplexity refuses, and those that others need', () => {
  const few = [example(2, [[0, 1]])]
  const hintFor = (labelSource: 'auto' | 'perplexity') => {
    const error = thrown(() => requireCalibratable(few, { rank: { ...rankDefaults, labelSource } }))
    expect(error.message).toContain('1 labelled pairs, at least 200 are needed')
    return error.hint
  }
  expect(hintFor('auto')).toMatch(/^Ways out: fix both `reward_temperature`/)
  expect(hintFor('perplexity')).toMatch(/^Give it more labelled pairs, or take another `label_source`/)
})
