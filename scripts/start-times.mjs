// Seconds from typing a command to its help, and to the first line of its own: the median of five starts, on this processor.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './setup/paths.mjs'

const RUNS = 5
const HELP_LIMIT = 0.2 // of `clha --help`
const LINE_LIMIT = 0.5

const clha = join(root, 'clha')
const folder = mkdtempSync(join(tmpdir(), 'clha-start-'))
const data = join(folder, 'pairs.jsonl')

/** Enough to come past the config: what needs a model says so as its first line. */
function commands() {
  const { COMMANDS } = loaded
  const given = {
    push: ['.', 'org/name', '--dry-run'],
    experiment: ['none.yaml'],
    'config import': ['none.yaml'],
  }
  return COMMANDS.map(({ path }) => {
    const name = path.join(' ')
    const more =
      given[name] ??
      (path[0] === 'data' ? [data, ...(writes(path[1]) ? ['--output', join(folder, 'out')] : [])] : [])
    return { name, args: [...path, ...more] }
  })
}
const writes = (name) => ['convert', 'split', 'dedupe', 'sample', 'mix'].includes(name)

/** Seconds until something is printed. */
function firstLine(args) {
  return new Promise((resolve) => {
    const began = performance.now()
    const child = spawn(process.execPath, [clha, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let seconds
    const heard = () => {
      seconds ??= (performance.now() - began) / 1000
      child.kill('SIGKILL')
    }
    child.stdout.on('data', heard)
    child.stderr.on('data', heard)
    child.on('close', () => resolve(seconds ?? (performance.now() - began) / 1000))
  })
}

async function median(args) {
  const times = []
  for (let i = 0; i < RUNS; i++) times.push(await firstLine(args))
  return times.sort((a, b) => a - b)[Math.floor(RUNS / 2)]
}

const loaded = await import('../dist/commands/index.js')
const row = { prompt: 'What is 1 and 1?', chosen: 'It is 2.', rejected: 'No.' }
writeFileSync(data, `${JSON.stringify(row)}\n`.repeat(50))
// The first start after a change looks at every file; the times are those of the later ones.
for (let i = 0; i < 2; i++) spawnSync(process.execPath, [clha, '--version'])

try {
  console.log(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}; medians of ${RUNS}\n`)
  console.log('| command | help, s | first line, s |\n| --- | ---: | ---: |')
  const over = []
  const show = (name, help, line) => {
    console.log(`| \`${name}\` | ${help.toFixed(2)} | ${line === undefined ? '' : line.toFixed(2)} |`)
    if (name === 'clha' && help > HELP_LIMIT)
      over.push(`clha --help: ${help.toFixed(2)} s, more than ${HELP_LIMIT}`)
    if ((line ?? 0) > LINE_LIMIT)
      over.push(`${name}: ${line.toFixed(2)} s to its first line, more than ${LINE_LIMIT}`)
  }
  show('clha', await median(['--help']))
  for (const { name, args } of commands())
    show(`clha ${name}`, await median([...name.split(' '), '--help']), await median(args))
  for (const text of over) console.error(text)
  if (over.length > 0) process.exitCode = 8
} finally {
  rmSync(folder, { recursive: true, force: true })
}
