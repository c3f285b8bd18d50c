// What rescoring makes of labels that were reversed on purpose, with rewards of real reward models on pairs with a gold
// order: the tables of docs/rescoring.md. `node scripts/rescoring-table.mjs [folder] [--seeds 8] [--made | --together]`
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './setup/paths.mjs'

const { tryNoise } = await import('../dist/rescore/try-noise.js')
const { rankDefaults } = await import('../dist/rescore/rank.js')
const { createRandom } = await import('../dist/random.js')
const { quantile } = await import('../dist/statistics/statistics.js')
const { groupBy } = await import('../dist/statistics/group-by.js')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '8' },
    made: { type: 'boolean' },
    together: { type: 'boolean' },
  },
})
const LEVELS = [0, 0.1, 0.25, 0.4]
const SEEDS = Number(values.seeds)

/** One data set: rewards with the gold answer first, and lengths. */
function readGaps(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => {
      const { set, rewards, gold, characters } = JSON.parse(readFileSync(join(folder, name), 'utf8'))
      const goldFirst = ([a, b], i) => (gold[i] === 0 ? [a, b] : [b, a])
      const lengths = characters.map(goldFirst)
      const gaps = rewards.map(goldFirst).map(([a, b]) => a - b)
      return { name: name.replace('.json', ''), set, gaps, lengths }
    })
}

/** Several scorers of the same pairs together, and with length beside them. */
function together(files) {
  return [...groupBy(files, ({ set }) => set)]
    .filter(([, own]) => own.length > 1)
    .flatMap(([set, own]) => {
      const all = Object.fromEntries(own.map(({ name, gaps }) => [name, gaps]))
      const length = own[0].lengths.map(([a, b]) => a - b)
      const random = createRandom(set)
      const noise = length.map(() => random.normal())
      const unit = own.map(({ gaps }) => quantile(gaps.map(Math.abs), 0.5))
      const mean = own[0].gaps.map((_, i) => own.reduce((sum, { gaps }, k) => sum + gaps[i] / unit[k], 0))
      const of = (name, scores) => ({ ...own[0], name: `${set}: ${name}`, scores })
      return [
        ...own,
        { ...own[0], name: `${set}: plain mean of both`, gaps: mean },
        of('both, weighed', all),
        of('both and length', { ...all, length }),
        of('both and random', { ...all, noise }),
      ]
    })
}

/** Scorers that nobody should use: what happens then is part of the promise. */
function madeScorers(files) {
  const random = createRandom('made')
  const [good, , judge] = files
  return [
    { name: 'length, on alpacafarm', gaps: good.lengths.map(([a, b]) => a - b) },
    { name: 'random, on alpacafarm', gaps: good.gaps.map(() => random.normal()) },
    { name: 'turned round, alpacafarm-rm', gaps: good.gaps.map((d) => -d) },
    {
      name: 'half random, alpacafarm-rm',
      gaps: good.gaps.map((d) => (random.next() < 0.5 ? d : 4 * random.normal())),
    },
    { name: 'sign alone, alpacafarm-rm', gaps: good.gaps.map((d) => Math.sign(d) + 1e-3 * random.normal()) },
    {
      name: 'right in 90 %, on judgebench',
      gaps: judge.gaps.map(() => (random.next() < 0.9 ? 1 : -1) * 3 * random.next()),
    },
  ]
}

/** Gold labels as they would stand in a file, the gold answer first. */
const believed = ({ gaps, lengths, scores }) => ({
  examples: gaps.map((_, i) => ({
    id: String(i),
    prompt: `question ${i}`,
    candidates: ['g', 'o'].map((letter, k) => ({ text: letter.repeat(lengths?.[i][k] ?? 1) })),
    preferences: [{ better: 0, worse: 1 }],
    source: 'gaps',
    file: 'gaps',
    row: i + 1,
  })),
  rewards: gaps.map((d) => [d, 0]),
  ...(scores && {
    scores: gaps.map((_, i) =>
      Object.fromEntries(Object.entries(scores).map(([name, d]) => [name, [d[i], 0]])),
    ),
  }),
  options: { rank: { ...rankDefaults, labelSource: 'auto' } },
})

/** Points of right orders over the labels, and whether contrasted pairs are right as often as believed. */
function measure(data, settings) {
  const cell = tryNoise(data, settings)
  return {
    gain: 100 * (cell.order - cell.labels),
    contrasted: 100 * cell.contrasted.share,
    right: 100 * (cell.right ?? Number.NaN),
    over: cell.contrasted.count < 20 ? 0 : 100 * (cell.right - cell.believed),
    interval: cell.labelErrorInterval,
  }
}

const average = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length
const signed = (x) => `${x < -0.05 ? '-' : x > 0.05 ? '+' : ''}${Math.abs(x).toFixed(1)}`
const row = (cells) => console.log(`| ${cells.join(' | ')} |`)

function head(cells) {
  row(cells)
  row(cells.map(() => '---'))
}

/** One table: scorers by levels, mean over seeds (worst seed). */
function table(files, doubles) {
  const found = files.map((file) => {
    const data = believed(file)
    const cells = LEVELS.map((level) =>
      Array.from({ length: SEEDS }, (_, seed) => measure(data, { level, doubles, seed })),
    )
    return { file, cells }
  })
  console.log(
    `\n${doubles} second labels: points of right orders over the labels, mean over ${SEEDS} seeds (worst)\n`,
  )
  head(['scorer', 'pairs', ...LEVELS.map((level) => `${100 * level} % reversed`)])
  const cellOf = (cells) => {
    const gains = cells.map(({ gain }) => gain)
    return `${signed(average(gains))} (${signed(Math.min(...gains))})`
  }
  for (const { file, cells } of found) row([file.name, file.gaps.length, ...cells.map(cellOf)])
  row(['mean (worst)', '', ...LEVELS.map((_, k) => cellOf(found.flatMap(({ cells }) => cells[k])))])
  console.log('\nContrasted pairs: share, of these right, right minus believed (worst seed); interval of e\n')
  head(['scorer', ...LEVELS.map((level) => `${100 * level} % reversed`)])
  for (const { file, cells } of found) {
    row([
      file.name,
      ...cells.map((seeds) => {
        const of = (name) => seeds.map((cell) => cell[name])
        const [low, high] = [0, 1].map((k) => average(seeds.map(({ interval }) => interval[k])).toFixed(2))
        const right = of('right').filter((x) => !Number.isNaN(x))
        return `${average(of('contrasted')).toFixed(0)} %, ${right.length > 0 ? average(right).toFixed(0) : '-'} %, ${signed(average(of('over')))} (${signed(Math.min(...of('over')))}); ${low} to ${high}`
      }),
    ])
  }
}

const files = readGaps(positionals[0] ?? join(root, '../shared/data/reward-gaps'))
const scorers = values.made ? madeScorers(files) : values.together ? together(files) : files
for (const doubles of [0, 100]) table(scorers, doubles)
