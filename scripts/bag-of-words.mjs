// A bag of words: logistic regression on the difference of word counts and of length between two answers.
import { sigmoid } from '../dist/statistics/statistics.js'

/** Words that fewer pairs have tell nothing. */
const RARE = 5
const [STEPS, RATE, L2] = [150, 1, 100]

/** Pairs of texts, the better one first, as differences of features. */
export function differencesOf(pairs) {
  const seen = new Map()
  const sides = pairs.map((texts) => texts.map(words))
  for (const both of sides) for (const word of new Set(both.flat())) seen.set(word, (seen.get(word) ?? 0) + 1)
  const known = [...seen].filter(([, count]) => count >= RARE).map(([word]) => word)
  const place = new Map(known.map((word, i) => [word, i + 1]))
  return { place, rows: sides.map((both) => features(both, place)) }
}

/** What a text is worth by these weights; differences of it are the log-odds of the regression. */
export const worth = (text, place, weight) => margin(features([words(text), []], place), weight)

export const margin = (x, weight) => x.reduce((sum, [i, value]) => sum + (weight.get(i) ?? 0) * value, 0)

function words(text) {
  return text.toLowerCase().match(/\p{L}+|\p{N}|[^\s\p{L}\p{N}]/gu) ?? []
}

/** ln(1 + count) of each word, and ln(1 + length) at place 0. */
function features([better, worse], place) {
  const out = new Map([[0, Math.log1p(better.length) - Math.log1p(worse.length)]])
  for (const [sign, side] of [
    [1, better],
    [-1, worse],
  ]) {
    const counts = new Map()
    for (const word of side) counts.set(word, (counts.get(word) ?? 0) + 1)
    for (const [word, count] of counts) {
      const at = place.get(word)
      if (at !== undefined) out.set(at, (out.get(at) ?? 0) + sign * Math.log1p(count))
    }
  }
  return [...out].filter(([, x]) => x !== 0)
}

/** Weights that maximise the likelihood of the labels minus L2 / 2 |w|², by gradient ascent with momentum over all rows. */
export function fitted(rows) {
  const size = 1 + rows.reduce((most, x) => x.reduce((top, [i]) => Math.max(top, i), most), 0)
  const weight = new Float64Array(size)
  const velocity = new Float64Array(size)
  for (let step = 0; step < STEPS; step++) {
    const gradient = weight.map((w) => -L2 * w)
    for (const x of rows) {
      const push = sigmoid(-x.reduce((sum, [i, value]) => sum + weight[i] * value, 0))
      for (const [i, value] of x) gradient[i] += push * value
    }
    for (let i = 0; i < size; i++) {
      velocity[i] = 0.9 * velocity[i] + (RATE / rows.length) * gradient[i]
      weight[i] += velocity[i]
    }
  }
  return new Map([...weight].map((w, i) => [i, w]))
}
