// The contender's side of the rounds: see contender.mjs.
import { createInterface } from 'node:readline'
import { product } from './product.mjs'

const say = (tag, value) => process.stdout.write(`${tag} ${JSON.stringify(value)}\n`)

/** Waiting for a GPU, and the most memory that tensors held there since `reset`; on the CPU of the whole process. */
async function gauge() {
  const { currentDevice, native, noGrad, ops, scope } = await product('tensor/index')
  const device = currentDevice()
  if (device === 'cpu')
    return { reset() {}, settle() {}, peakMiB: () => process.resourceUsage().maxRSS / 1024 }
  return {
    reset: () => native().deviceMemory(device, true),
    // Reading an element waits for all work that was given before.
    settle: () => noGrad(() => scope(() => ops.full([1], 0, 'f32').item())),
    peakMiB: () => native().deviceMemory(device).peakBytes / 2 ** 20,
  }
}

/** @param round (index) -> what it measured besides time, such as {items}; @param facts said once */
export async function serveRounds(round, facts = {}) {
  const { reset, settle, peakMiB } = await gauge()
  settle()
  say('READY', facts)
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, index] = line.split(' ')
    if (word !== 'go') break
    reset()
    const before = process.cpuUsage()
    const start = performance.now()
    const measured = await round(Number(index))
    settle()
    const wall = (performance.now() - start) / 1000
    const { user, system } = process.cpuUsage(before)
    const used = { wall, cpu: (user + system) / 1e6, system: system / 1e6, peakMiB: peakMiB() }
    say('RES', { ...used, ...measured })
  }
  process.exit(0)
}
