// What a bag of words knows of a file's labels: a floor that a reward model has to be above before it is worth anything.
// Logistic regression on the difference of word counts and of length, each file for itself, five folds by prompt; prints the
// agreement with labels that it did not see.
//
//   node scripts/label-floor.mjs prefs.jsonl [more files]
import { readExamples } from '../dist/data/read/read-examples.js'
import { promptKey } from '../dist/dialogue.js'
import { hash64 } from '../dist/random.js'
import { wilson } from '../dist/statistics/intervals.js'
import { sigmoid } from '../dist/statistics/statistics.js'

const FOLDS = 5
/** Words that fewer pairs have tell nothing. */
const RARE = 5
const [STEPS, RATE, L2] = [150, 1, 100]

const files = process.argv.slice(2)
if (files.length === 0) {
  console.error('usage: node scripts/label-floor.mjs prefs.jsonl …')
  process.exit(2)
}

let [right, labels] = [0, 0]
for (const file of files) {
  const rows = await readRows(file)
  const found = agreement(rows)
  say(file, found, rows.length)
  right += found
  labels += rows.length
}
if (files.length > 1) say('all', right, labels)

function say(name, found, total) {
  const [low, high] = wilson(found, total).map((x) => (100 * x).toFixed(1))
  const share = ((100 * found) / total).toFixed(1)
  console.log(`${name}: a bag of words agrees with ${share} % (${low}–${high}) of ${total} labels`)
}

/** Pairs as differences of features, the better answer's minus the worse one's, with the fold of their prompt. */
async function readRows(file) {
  const { examples } = await readExamples(file, { skipBad: true })
  const seen = new Map()
  const pairs = examples.flatMap(({ prompt, candidates, preferences }) =>
    preferences.map(({ better, worse }) => {
      const sides = [better, worse].map((k) => words(candidates[k].text))
      for (const word of new Set(sides.flat())) seen.set(word, (seen.get(word) ?? 0) + 1)
      return { sides, fold: Number(hash64(promptKey(prompt)) % BigInt(FOLDS)) }
    }),
  )
  const known = [...seen].filter(([, count]) => count >= RARE).map(([word]) => word)
  const place = new Map(known.map((word, i) => [word, i + 1]))
  return pairs.map(({ sides, fold }) => ({ x: features(sides, place), fold }))
}

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

/** Labels of held-out folds that the other folds' weights agree with; where they say nothing, one half. */
function agreement(rows) {
  let found = 0
  for (let fold = 0; fold < FOLDS; fold++) {
    const weight = fitted(rows.filter((row) => row.fold !== fold))
    for (const { x } of rows.filter((row) => row.fold === fold)) {
      const margin = x.reduce((sum, [i, value]) => sum + (weight.get(i) ?? 0) * value, 0)
      found += margin > 0 ? 1 : margin === 0 ? 0.5 : 0
    }
  }
  return found
}

/** Weights that maximise the likelihood of the labels minus L2 / 2 |w|², by gradient ascent with momentum over all rows. */
function fitted(rows) {
  const size = 1 + rows.reduce((most, { x }) => x.reduce((top, [i]) => Math.max(top, i), most), 0)
  const weight = new Float64Array(size)
  const velocity = new Float64Array(size)
  for (let step = 0; step < STEPS; step++) {
    const gradient = weight.map((w) => -L2 * w)
    for (const { x } of rows) {
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
