// The contender's side of the rounds: see contender.mjs.
import { createInterface } from 'node:readline'

const say = (tag, value) => process.stdout.write(`${tag} ${JSON.stringify(value)}\n`)

/** @param round (index) -> what it measured besides time, such as {items}; @param facts said once */
export async function serveRounds(round, facts = {}) {
  say('READY', facts)
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, index] = line.split(' ')
    if (word !== 'go') break
    const before = process.cpuUsage()
    const start = performance.now()
    const measured = await round(Number(index))
    const wall = (performance.now() - start) / 1000
    const { user, system } = process.cpuUsage(before)
    const peakMiB = process.resourceUsage().maxRSS / 1024
    say('RES', { wall, cpu: (user + system) / 1e6, system: system / 1e6, peakMiB, ...measured })
  }
  process.exit(0)
}
