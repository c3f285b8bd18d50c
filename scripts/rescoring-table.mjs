// What rescoring makes of labels that were reversed on purpose, with rewards of real reward models on pairs with a gold
// order: the tables of docs/rescoring.md. `node scripts/rescoring-table.mjs [folder] [--seeds 8] [--made]`
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './setup/paths.mjs'

const { rescoreLists } = await import('../dist/rescore/rescore.js')
const { rankDefaults } = await import('../dist/rescore/rank.js')
const { createRandom } = await import('../dist/random.js')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '8' }, made: { type: 'boolean', default: false } },
})
const LEVELS = [0, 0.1, 0.25, 0.4]
const SEEDS = Number(values.seeds)

/** One data set: gaps in favour of the gold answer. */
function readGaps(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => {
      const { rewards, gold, characters } = JSON.parse(readFileSync(join(folder, name), 'utf8'))
      const toGold = ([a, b], i) => (gold[i] === 0 ? a - b : b - a)
      return { name: name.replace('.json', ''), gaps: rewards.map(toGold), lengths: characters.map(toGold) }
    })
}

/** Scorers that nobody should use: what happens then is part of the promise. */
function madeScorers(files) {
  const random = createRandom('made')
  const [good, , judge] = files
  return [
    { name: 'length, on alpacafarm', gaps: good.lengths },
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

/** Labels reversed at random; `doubles` pairs are labelled a second time, as badly. */
function labelled({ gaps }, level, doubles, seed) {
  const random = createRandom(`${level} ${seed}`)
  const label = () => (random.next() < level ? { better: 1, worse: 0 } : { better: 0, worse: 1 })
  const first = gaps.map(label)
  const again = new Map(
    random
      .shuffle(gaps.map((_, i) => i))
      .slice(0, doubles)
      .map((i) => [i, label()]),
  )
  return gaps.map((_, i) => ({
    id: String(i),
    prompt: `question ${i}`,
    candidates: [{ text: 'gold' }, { text: 'other' }],
    preferences: [first[i]],
    ...(again.has(i) && { votes: [first[i], again.get(i)].map((p) => ({ ...p, count: 1 })) }),
    source: 'gaps',
    file: 'gaps',
    row: i + 1,
  }))
}

/** Shares of right orders, in points over the labels, and whether contrasted pairs are right as often as believed. */
function measure(file, level, doubles, seed) {
  const all = labelled(file, level, doubles, seed)
  // The file's first answer must not be the gold one: what nobody knows is decided by the file's order.
  const turned = all.map((example) => example.preferences[0].better === 1)
  const examples = all.map((example, i) => (turned[i] ? turn(example) : example))
  const rewards = file.gaps.map((d, i) => (turned[i] ? [0, d] : [d, 0]))
  const { lists, calibrations } = rescoreLists({
    examples,
    rewards,
    options: { rank: { ...rankDefaults, labelSource: 'auto' } },
  })
  const gold = (i) => (turned[i] ? 1 : 0)
  const share = (of) => (100 * lists.reduce((sum, list, i) => sum + of(list, i), 0)) / lists.length
  const pairs = lists.flatMap((list, i) =>
    list.pairs.map((pair) => ({ ...pair, right: Number(pair.better === gold(i)) })),
  )
  const contrasted = pairs.filter(({ weight }) => weight > 0)
  const mean = (of) => (100 * contrasted.reduce((sum, pair) => sum + of(pair), 0)) / contrasted.length
  const labels = share((_, i) => Number(!turned[i]))
  return {
    gain: share(({ order }, i) => Number(order[0] === gold(i))) - labels,
    reward: share(({ rewards: [a, b] }, i) => (a === b ? 0.5 : Number(a > b === (gold(i) === 0)))) - labels,
    contrasted: (100 * contrasted.length) / lists.length,
    right: mean(({ right }) => right),
    over: contrasted.length < 20 ? 0 : mean(({ right, belief }) => right - belief),
    interval: calibrations[0].labelErrorInterval,
  }
}

function turn({ preferences, votes, ...example }) {
  const other = (p) => ({ ...p, better: p.worse, worse: p.better })
  return { ...example, preferences: preferences.map(other), ...(votes && { votes: votes.map(other) }) }
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
  const found = files.map((file) => ({
    file,
    cells: LEVELS.map((level) =>
      Array.from({ length: SEEDS }, (_, seed) => measure(file, level, doubles, seed)),
    ),
  }))
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
const scorers = values.made ? madeScorers(files) : files
for (const doubles of [0, 100]) table(scorers, doubles)
