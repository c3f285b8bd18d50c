// How often the intervals of win rates and their differences hold the truth: simulated panels of raters.
//   node scripts/coverage.mjs [runs]
// Three systems; each rater sees each pair of them on each prompt once. A pair's lead is the difference of the systems'
// strengths, plus the prompt's taste (sd 1.5 logits), plus the rater's (sd 0.4 logits), both drawn anew for each system.
import { fileURLToPath } from 'node:url'

const PAIRS = [
  [1, 0],
  [2, 0],
  [2, 1],
]
const STRENGTHS = [0, 0.5, 0.9]
const PROMPT_SD = 1.5
const RATER_SD = 0.4
/** A lead below this, after chance, is a tie. */
const TIE = 0.4

const sigmoid = (x) => 1 / (1 + Math.exp(-x))

/** Expected score of a pair over prompts and raters: the normal integral by the trapezoid rule. */
export function expectedScore(lead) {
  const sd = Math.hypot(PROMPT_SD, RATER_SD)
  let [sum, weights] = [0, 0]
  for (let k = -800; k <= 800; k++) {
    const x = k / 100
    const weight = Math.exp((-x * x) / 2)
    weights += weight
    sum += (weight * (sigmoid(lead + sd * x - TIE) + sigmoid(lead + sd * x + TIE))) / 2
  }
  return sum / weights
}

/** What Bradley and Terry's model makes of infinitely many verdicts: gradient ascent on the expected likelihood. */
export function expectedStrengths() {
  const scores = PAIRS.map(([a, b]) => expectedScore(STRENGTHS[a] - STRENGTHS[b]))
  const theta = [0, 0, 0]
  for (let step = 0; step < 20_000; step++) {
    PAIRS.forEach(([a, b], i) => {
      const gap = scores[i] - sigmoid(theta[a] - theta[b])
      theta[a] += gap / 2
      theta[b] -= gap / 2
    })
  }
  return theta
}

function panel(random, raters, prompts) {
  const tastes = (rows, sd) =>
    Array.from({ length: rows }, () => STRENGTHS.map(() => (random.normal() * sd) / Math.SQRT2))
  const [byPrompt, byRater] = [tastes(prompts, PROMPT_SD), tastes(raters, RATER_SD)]
  const rows = []
  for (let p = 0; p < prompts; p++) {
    for (let r = 0; r < raters; r++) {
      PAIRS.forEach(([a, b], pair) => {
        const value = (s) => STRENGTHS[s] + byPrompt[p][s] + byRater[r][s]
        const u = random.next()
        const seen = value(a) - value(b) + Math.log(u / (1 - u))
        rows.push({ prompt: p, rater: r, pair, a, b, score: seen > TIE ? 1 : seen < -TIE ? 0 : 0.5 })
      })
    }
  }
  return rows
}

/**
 * @param statistics `createRandom`, `clustersOf`, `clusteredRate`, `clusteredDifference`, `bradleyTerry`
 * @returns shares of the runs whose intervals hold the truth, and mean half widths
 */
export function coverage({ raters, prompts = 300, runs, seed = 0 }, statistics) {
  const { createRandom, clustersOf, clusteredRate, clusteredDifference, bradleyTerry } = statistics
  const random = createRandom(`coverage:${seed}:${raters}`)
  const rates = PAIRS.map(([a, b]) => expectedScore(STRENGTHS[a] - STRENGTHS[b]))
  const theta = expectedStrengths()
  const names = ['win rate', 'difference of win rates', 'difference of strengths']
  const hits = Object.fromEntries(names.map((name) => [name, { held: 0, half: 0 }]))
  const look = (name, truth, [low, high]) => {
    hits[name].held += Number(low <= truth && truth <= high) / runs
    hits[name].half += (high - low) / 2 / runs
  }
  for (let run = 0; run < runs; run++) {
    const rows = panel(random, raters, prompts)
    const clusters = (part) =>
      clustersOf(
        part.map((r) => r.prompt),
        part.map((r) => r.rater),
      )
    const [first, second] = [0, 1].map((pair) => rows.filter((row) => row.pair === pair))
    const both = [...second, ...first]
    const scores = (part) => part.map((row) => row.score)
    look(names[0], rates[0], clusteredRate(scores(first), clusters(first)).interval)
    const group = both.map((row) => 1 - row.pair)
    look(names[1], rates[1] - rates[0], clusteredDifference(scores(both), group, clusters(both)).interval)
    const fit = bradleyTerry(rows, 3)
    look(names[2], theta[2] - theta[1], fit.difference(2, 1, clusters(rows)).interval)
  }
  return hits
}

async function main() {
  const from = (name) => import(new URL(`../dist/${name}.js`, import.meta.url).href)
  const statistics = {
    ...(await from('random')),
    ...(await from('statistics/clustered')),
    ...(await from('statistics/strengths/bradley-terry')),
  }
  const runs = Number(process.argv[2] ?? 1000)
  console.log('| raters | win rate | difference of win rates | difference of strengths |')
  console.log('| ---: | ---: | ---: | ---: |')
  for (const raters of [3, 5, 10, 20]) {
    const cells = Object.values(coverage({ raters, runs }, statistics))
    const shown = cells.map(({ held, half }) => `${(100 * held).toFixed(1)} % (±${half.toFixed(3)})`)
    console.log(`| ${raters} | ${shown.join(' | ')} |`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
