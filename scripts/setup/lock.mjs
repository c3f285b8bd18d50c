// A directory as a lock: only one process sets up a folder, the others wait for it.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SetupError } from './errors.mjs'
import { tilde } from './paths.mjs'

/** Runs `work` alone; waits while another live process holds the lock. `onWait(pid)` is called once. */
export async function withLock(path, work, { onWait = () => {}, limitSeconds = 1800 } = {}) {
  mkdirSync(dirname(path), { recursive: true })
  const started = performance.now()
  let waited = false
  while (!take(path)) {
    const holder = holderOf(path)
    if (isStale(path, holder)) {
      rmSync(path, { recursive: true, force: true })
      continue
    }
    if (!waited) onWait(holder?.pid)
    waited = true
    if (performance.now() - started > limitSeconds * 1000) {
      const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process'
      throw new SetupError(
        `${who} is setting up since more than ${limitSeconds / 60} minutes`,
        `if it is gone, remove ${tilde(path)}`,
        3,
      )
    }
    await sleep(250)
  }
  const release = () => rmSync(path, { recursive: true, force: true })
  process.once('exit', release)
  try {
    return await work()
  } finally {
    process.off('exit', release)
    release()
  }
}

function take(path) {
  try {
    mkdirSync(path)
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw new SetupError(
      `can't write ${tilde(dirname(path))}: ${error.message}`,
      'choose another cache folder with CLHA_CACHE=/some/folder',
    )
  }
  writeFileSync(join(path, 'holder.json'), JSON.stringify({ pid: process.pid, host: hostname() }))
  return true
}

function holderOf(path) {
  try {
    return JSON.parse(readFileSync(join(path, 'holder.json'), 'utf8'))
  } catch {
    return null
  }
}

/** A lock is stale when its process is gone; one without a readable holder, when it is a minute old. */
function isStale(path, holder) {
  if (!holder) {
    try {
      return Date.now() - statSync(path).mtimeMs > 60_000
    } catch {
      return false
    }
  }
  if (holder.host !== hostname()) return false
  try {
    process.kill(holder.pid, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}
