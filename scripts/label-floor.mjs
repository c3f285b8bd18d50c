// What a bag of words knows of a file's labels: a floor that a reward model has to be above before it is worth anything.
// Logistic regression on the difference of word counts and of length, each file for itself, five folds by prompt; prints the
// agreement with labels that it did not see.
//
//   node scripts/label-floor.mjs prefs.jsonl [more files]
import { readExamples } from '../dist/data/read/read-examples.js'
import { promptKey } from '../dist/dialogue.js'
import { hash64 } from '../dist/random.js'
import { wilson } from '../dist/statistics/intervals.js'
import { differencesOf, fitted, margin } from './bag-of-words.mjs'

const FOLDS = 5

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
  const pairs = examples.flatMap(({ prompt, candidates, preferences }) =>
    preferences.map(({ better, worse }) => ({
      texts: [better, worse].map((k) => candidates[k].text),
      fold: Number(hash64(promptKey(prompt)) % BigInt(FOLDS)),
    })),
  )
  const { rows } = differencesOf(pairs.map(({ texts }) => texts))
  return rows.map((x, i) => ({ x, fold: pairs[i].fold }))
}

/** Labels of held-out folds that the other folds' weights agree with; where they say nothing, one half. */
function agreement(rows) {
  let found = 0
  for (let fold = 0; fold < FOLDS; fold++) {
    const weight = fitted(rows.filter((row) => row.fold !== fold).map(({ x }) => x))
    for (const { x } of rows.filter((row) => row.fold === fold)) {
      const lead = margin(x, weight)
      found += lead > 0 ? 1 : lead === 0 ? 0.5 : 0
    }
  }
  return found
}
