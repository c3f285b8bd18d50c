// The machine: what it is, what else runs on it, and waiting until little else does.
import { existsSync, readFileSync } from 'node:fs'
import { cpus, freemem, loadavg, platform, release, totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

export function hardware() {
  const list = cpus()
  return {
    cpu: list[0]?.model ?? 'unknown',
    cores: list.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    freeGiB: Math.round(freemem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.version,
  }
}

/** Seconds of all cores that were busy since the machine started; undefined where the system does not tell. */
export function busySeconds() {
  if (!existsSync('/proc/stat')) return undefined
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq) / 100
}

/** Cores that others keep busy, over a short look. */
export async function foreignCores(milliseconds = 500) {
  const before = busySeconds()
  if (before === undefined) return loadavg()[0]
  const start = performance.now()
  await sleep(milliseconds)
  return ((busySeconds() - before) * 1000) / (performance.now() - start)
}

/** Waits until others use less than `threshold` cores, at most `limit` seconds. @returns whether it is quiet, and the load seen */
export async function waitForQuiet(threshold, limit) {
  const until = performance.now() + limit * 1000
  let cores = await foreignCores()
  while (cores > threshold && performance.now() < until) cores = await foreignCores(1000)
  return { quiet: cores <= threshold, cores }
}
