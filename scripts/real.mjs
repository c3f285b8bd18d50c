// The quickstart with a real model, and the table of its figures: `npm run test:real`, `-- --seed 2` for another seed.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import load from './setup/load.cjs'

const given = process.argv.slice(2)
const folder = join(load.buildDir, ['real', ...given.map((word) => word.replace(/\W+/g, ''))].join('-'))
const args = [join(load.root, 'clha'), 'quickstart', '--real', '--output-dir', folder, ...given]
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

const { evaluation, stations, notes, machine } = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'))
const number = ({ value, interval: [low, high] = [] } = {}) =>
  value === undefined
    ? '–'
    : `${value.toFixed(2)}${low === undefined ? '' : ` (${low.toFixed(2)} to ${high.toFixed(2)})`}`
const row = (system, decoding) =>
  evaluation.rows.find((r) => r.source === 'total' && r.system === system && r.decoding.startsWith(decoding))
const rows = ['start', 'clha'].map((system) => {
  const { trueReward, length, ended } = row(system, 'greedy')
  return [system, ...[trueReward, length, ended, row(system, 'sampled').kl].map(number)]
})
const table = [
  ['system', 'rule reward', 'tokens', 'ended by itself', 'KL from start'],
  Array(5).fill('---'),
  ...rows,
]
console.log(`\n${table.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`)
for (const note of notes) console.log(note)
console.log(stations.map(({ name, seconds }) => `${name} ${seconds.toFixed(0)} s`).join(' · '))
console.log(`${machine?.cpu}, ${machine?.threads} threads`)

const [before, after] = ['start', 'clha'].map((system) => row(system, 'greedy').trueReward)
if (after.interval[0] <= before.interval[1]) {
  console.error('the policy is not shown to be better than the start')
  process.exitCode = 1
}
