// Whether intervals of the labels' error e and the reward's unit T hold the truth, on simulated labels: a table of
// docs/rescoring.md. `node scripts/rescoring-coverage.mjs [--pairs 200,1000] [--runs 30] [--doubles 100]`
import { parseArgs } from 'node:util'

const { calibrate } = await import('../dist/rescore/calibrate.js')
const { createRandom } = await import('../dist/random.js')
const { sigmoid } = await import('../dist/statistics/statistics.js')
const { wilson } = await import('../dist/statistics/intervals.js')

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '30' },
    pairs: { type: 'string', default: '200,1000' },
    doubles: { type: 'string', default: '100' },
  },
})
const RUNS = Number(values.runs)
const DOUBLES = Number(values.doubles)
const ERRORS = [0, 0.1, 0.25, 0.4, 0.45]

/** How often a reward is right whose gaps are normal with this deviation, in units of T. */
function accuracy(spread) {
  let sum = 0
  for (let k = 0; k < 400; k++) {
    const z = 5 * ((k + 0.5) / 400)
    sum += Math.exp((-z * z) / 2) * sigmoid(spread * z)
  }
  return (sum * 5 * Math.sqrt(2 / Math.PI)) / 400
}

function spreadOf(wanted) {
  let [low, high] = [0, 20]
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (accuracy(middle) < wanted) low = middle
    else high = middle
  }
  return low
}

function simulate({ n, spread, e, doubles, seed }) {
  const random = createRandom(`${n} ${spread} ${e} ${seed}`)
  const [gap, up, down] = [0, 0, 0].map(() => new Float64Array(n))
  for (let i = 0; i < n; i++) {
    gap[i] = random.normal() * spread
    const first = random.next() < sigmoid(gap[i])
    for (let look = 0; look < (i < doubles ? 2 : 1); look++) {
      if (random.next() < e === first) down[i]++
      else up[i]++
    }
  }
  return { gap, up, down, weight: new Float64Array(n).fill(1) }
}

const percent = (x) => `${(100 * x).toFixed(0)} %`
const row = (cells) => console.log(`| ${cells.join(' | ')} |`)
const average = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length
// At e = 0 the lowest value that the fit allows stands for it.
const holds = ([low, high], x) => low <= Math.max(x, 0.002) && x <= high

console.log(`95 % intervals that hold the truth, over e = ${ERRORS.join(', ')} with ${RUNS} runs each\n`)
const head = [
  'pairs',
  'scorer right',
  `e, ${DOUBLES} second labels`,
  'T',
  'width of e',
  'e, no second labels',
  'width of e',
]
row(head)
row(head.map(() => '---'))
for (const n of values.pairs.split(',').map(Number)) {
  for (const right of [0.56, 0.63, 0.73, 0.83]) {
    const spread = spreadOf(right)
    const found = [DOUBLES, 0].map((doubles) =>
      ERRORS.flatMap((e) =>
        Array.from({ length: RUNS }, (_, seed) => {
          const c = calibrate(simulate({ n, spread, e, doubles, seed }))
          const [low, high] = c.labelErrorInterval
          return { e: holds([low, high], e), t: holds(c.temperatureInterval, 1), width: high - low }
        }),
      ),
    )
    const share = (cells, name) => {
      const count = cells.filter((cell) => cell[name]).length
      const [low, high] = wilson(count, cells.length)
      return `${percent(count / cells.length)} (${percent(low)} to ${percent(high)})`
    }
    const width = (cells) => average(cells.map((cell) => cell.width)).toFixed(2)
    const [twice, once] = found
    row([
      n,
      percent(right),
      share(twice, 'e'),
      share(twice, 't'),
      width(twice),
      share(once, 'e'),
      width(once),
    ])
  }
}
