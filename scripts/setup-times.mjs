// Seconds from a clone to the first training step: every step of set-up in an empty folder, on this processor. `--help` tells more.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from './setup/paths.mjs'

const HELP = `node scripts/setup-times.mjs [--cached]

Clones what is committed here into an empty folder, sets it up with a cache of its own, and starts the quickstart until its first
training step. --cached uses the libtorch that is in the user's cache.
`
const LIMIT = 150 // seconds, on two cores with AVX2 and the packages near

const seconds = (since) => (performance.now() - since) / 1000

/** `1 min 15 s` or `0.4 s` of a step's line as seconds. */
function parsed(text) {
  const [, minutes = '0', rest] = text.match(/^(?:(\d+) min )?([\d.]+) s$/)
  return Number(minutes) * 60 + Number(rest)
}

/** Runs set-up and takes each step's seconds from its closing line. */
function setUp(folder, env) {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/setup.mjs'], {
    cwd: folder,
    env,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return [...stderr.matchAll(/^ {2}(\S+) +✓ .*? {2,}((?:\d+ min )?[\d.]+ s)$/gm)].map(([, name, time]) => [
    name,
    parsed(time),
  ])
}

const hasStep = (folder) =>
  existsSync(folder) &&
  readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('metrics.jsonl'))
    .some((name) => readFileSync(join(folder, name), 'utf8').includes('"loss"'))

async function firstStep(folder, env) {
  const began = performance.now()
  const child = spawn(process.execPath, ['clha', 'quickstart'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      said += data
    })
  while (!hasStep(join(folder, 'runs'))) {
    if (child.exitCode !== null) throw new Error(said)
    await sleep(20)
  }
  child.kill('SIGKILL')
  return seconds(began)
}

async function main(cached) {
  const folder = mkdtempSync(join(tmpdir(), 'clha-setup-'))
  const env = { ...process.env, ...(cached ? {} : { CLHA_CACHE: join(folder, 'cache') }) }
  try {
    const clone = performance.now()
    const { status, stderr } = spawnSync('git', ['clone', '--quiet', root, join(folder, 'clha')], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
    const rows = [['clone', seconds(clone)]]
    rows.push(...setUp(join(folder, 'clha'), env))
    rows.push(['first training step', await firstStep(join(folder, 'clha'), env)])
    const total = rows.reduce((sum, [, time]) => sum + time, 0)
    console.log(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}\n`)
    console.log('| step | seconds |\n| --- | ---: |')
    for (const [name, time] of [...rows, ['in all', total]]) console.log(`| ${name} | ${time.toFixed(1)} |`)
    if (total > LIMIT)
      console.error(`${total.toFixed(0)} s from clone to first training step, more than ${LIMIT}`)
    return total > LIMIT ? 8 : 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const args = process.argv.slice(2)
if (args.includes('--help')) console.log(HELP)
else process.exitCode = await main(args.includes('--cached'))
