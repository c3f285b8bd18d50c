// What training loses where others compute too: small steps on an idle machine, with one core busy, and under a load of six.
// `npm run bench:busy -- --help`
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startContender } from './lib/contender.mjs'
import { prepareData } from './lib/data.mjs'
import { hardware, waitForQuiet } from './lib/machine.mjs'
import { product, root } from './lib/product.mjs'
import { median } from './lib/stats.mjs'

const HELP = `npm run bench:busy -- [options]

  --only NAMES      settings, separated by commas; a beginning of a name is enough
  --loads NUMBERS   processes that compute beside it; 0,1,6
  --rounds N        3
  --seconds N       of each round; 3
  --size NAME       model; quickstart
  --batch N         pairs of a step; 8
  --threads N       one per core
  --wait SECONDS    longest wait for a quiet machine before the first round; 120
`
const { values: given } = parseArgs({
  options: {
    only: { type: 'string' },
    loads: { type: 'string', default: '0,1,6' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    size: { type: 'string', default: 'quickstart' },
    batch: { type: 'string', default: '8' },
    threads: { type: 'string' },
    wait: { type: 'string', default: '120' },
    help: { type: 'boolean' },
  },
})

/** Any variable that tunes libgomp makes the product use libgomp as it is; this is the value that it has anyway. */
const LIBGOMP = { GOMP_SPINCOUNT: '300000' }
const SETTINGS = [
  { name: 'clha' },
  { name: 'libgomp', env: LIBGOMP },
  { name: 'libgomp, passive', env: { OMP_WAIT_POLICY: 'passive' } },
  { name: 'one thread', threads: 1 },
]

/** @returns a function that ends them */
function computeBeside(count) {
  const children = Array.from({ length: count }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  )
  const end = () => {
    for (const child of children) child.kill('SIGKILL')
  }
  process.once('exit', end)
  return end
}

async function start(setting, data, threads) {
  const spec = {
    kind: 'steady',
    data,
    size: given.size,
    batch: Number(given.batch),
    seconds: Number(given.seconds),
    threads: setting.threads ?? threads,
  }
  const command = [process.execPath, join(root, 'bench/worker.mjs'), JSON.stringify(spec)]
  return startContender(setting.name, command, setting.env)
}

/** Steps a second by setting and load, the settings in turn. */
async function measure(running, loads, rounds) {
  const rates = new Map(running.map(({ name }) => [name, loads.map(() => [])]))
  for (let round = 0; round < rounds; round++)
    for (const [column, load] of loads.entries()) {
      const end = computeBeside(load)
      await sleep(300)
      const order = running.map((_, i) => running[(i + round) % running.length])
      for (const contender of order) {
        const { items, wall } = await contender.round(round)
        rates.get(contender.name)[column].push(items / wall)
        console.error(`round ${round + 1}, load ${load}, ${contender.name}: ${(items / wall).toFixed(2)} steps/s`)
      }
      end()
      await sleep(300)
    }
  return rates
}

function print(rates, loads) {
  const cell = (list) =>
    `${median(list).toFixed(1)} (${Math.min(...list).toFixed(1)} - ${Math.max(...list).toFixed(1)})`
  console.log(['steps/s', ...loads.map((n) => `load ${n}`), 'of its idle rate'].join(' | '))
  for (const [name, columns] of rates) {
    const idle = median(columns[0])
    const shares = columns.slice(1).map((list) => (median(list) / idle).toFixed(2))
    console.log([name, ...columns.map(cell), shares.join(', ')].join(' | '))
  }
}

/** Ratios of a round, so that what disturbs it disturbs both sides; the median of them. */
const over = (mine, theirs) => median(mine.map((rate, i) => rate / theirs[i]))

/** The goals, where what they compare was measured. */
function printGoals(rates, loads, quiet) {
  const of = (name, load) => rates.get(name)?.[loads.indexOf(load)]
  const goals = [
    ['idle, against libgomp', of('clha', 0), of('libgomp', 0), 0.97],
    ['load 1, against libgomp on the idle machine', of('clha', 1), of('libgomp', 0), 0.6],
    ['load 6, against one thread', of('clha', 6), of('one thread', 6), 1],
  ]
  for (const [name, mine, theirs, goal] of goals.filter(([, mine, theirs]) => mine && theirs)) {
    const ratio = over(mine, theirs)
    // A rate beside others is no idle one: what is compared with it tells nothing.
    const judged = quiet || !name.includes('idle')
    const verdict = ratio >= goal ? 'met' : 'MISSED'
    console.log(`${name}: ${ratio.toFixed(2)}, goal >= ${goal}: ${judged ? verdict : 'not judged, not quiet'}`)
  }
}

async function busy() {
  const folder = mkdtempSync(join(tmpdir(), 'clha-busy-'))
  const running = []
  try {
    const { native } = await product('tensor/index')
    const { cpu, cores, system, node } = hardware()
    const engine = native().engine()
    const threads = Number(given.threads ?? engine.threads)
    const { quiet, cores: others } = await waitForQuiet(0.3, Number(given.wait))
    console.log(
      `${cpu}, ${cores} cores · ${system} · node ${node} · libtorch ${engine.libtorch} ${engine.cpuLevel}, ${threads} threads`,
    )
    console.log(`others used ${others.toFixed(2)} cores at the start${quiet ? '' : ': not quiet'}`)
    const { file } = await prepareData(folder, folder)
    const { vocabulary } = JSON.parse(readFileSync(file, 'utf8'))
    console.log(`model: ${given.size}, vocabulary of ${vocabulary}; ${given.batch} pairs of the starter world a step`)
    const names = given.only?.split(',')
    const chosen = SETTINGS.filter(({ name }) => !names || names.some((part) => name.startsWith(part)))
    for (const setting of chosen) running.push(await start(setting, file, threads))
    const loads = given.loads.split(',').map(Number)
    const rates = await measure(running, loads, Number(given.rounds))
    print(rates, loads)
    printGoals(rates, loads, quiet)
    const losses = new Set(running.map(({ ready }) => JSON.stringify(ready.losses)))
    console.log(
      losses.size === 1
        ? 'losses of the first 8 steps: the same bits'
        : `losses differ:\n${running.map(({ name, ready }) => `${name} ${ready.losses.join(' ')}`).join('\n')}`,
    )
  } finally {
    for (const contender of running) await contender.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

if (given.help) console.log(HELP)
else await busy()
