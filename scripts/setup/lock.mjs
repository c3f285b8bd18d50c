// A directory as a lock: only one process sets up a folder, the others wait for it.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SetupError } from './errors.mjs'
import { tilde } from './paths.mjs'
import { throwIfStopped } from './stop.mjs'

const held = new Set()

/**
 * Runs `work` alone; waits while another live process holds the lock.
 * @template T
 * @param {string} path
 * @param {() => T | Promise<T>} work
 * @param {{onWait?: (pid?: number) => void, limitSeconds?: number}} [options] `onWait` is called once
 */
export async function withLock(path, work, { onWait = () => {}, limitSeconds = 1800 } = {}) {
  mkdirSync(dirname(path), { recursive: true })
  const started = performance.now()
  let waited = false
  while (!take(path)) {
    throwIfStopped()
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
  held.add(path)
  const release = () => {
    held.delete(path)
    rmSync(path, { recursive: true, force: true })
  }
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
  writeFileSync(join(path, 'holder.json'), JSON.stringify({ ...identity(process.pid), host: hostname() }))
  return true
}

/** Programs that the holder runs outlive it when it is killed: the lock is not free before they have ended. */
export function noteChild(pid) {
  const notes = pid === undefined ? [] : [...held].map((path) => join(path, `child-${pid}.json`))
  const each = (act) => {
    for (const note of notes) {
      try {
        act(note)
      } catch {} // a full disk: the lock still knows its holder
    }
  }
  each((note) => writeFileSync(note, JSON.stringify(identity(pid))))
  return () => each((note) => rmSync(note, { force: true }))
}

/** A process number comes back after a restart of the machine; with the time of its start it is one process. */
const identity = (pid) => ({ pid, start: startOf(pid) })

function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined // not Linux
  }
}

function isAlive({ pid, start }) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code === 'ESRCH') return false
  }
  const now = startOf(pid)
  return start === undefined || now === undefined || start === now
}

function holderOf(path) {
  try {
    return JSON.parse(readFileSync(join(path, 'holder.json'), 'utf8'))
  } catch {
    return null
  }
}

function childrenOf(path) {
  try {
    const notes = readdirSync(path).filter((name) => name.startsWith('child-'))
    return notes.map((name) => JSON.parse(readFileSync(join(path, name), 'utf8')))
  } catch {
    return []
  }
}

/** A lock is stale when its process and those it started are gone; one without a readable holder, when it is a minute old. */
function isStale(path, holder) {
  if (!holder) {
    try {
      return Date.now() - statSync(path).mtimeMs > 60_000
    } catch {
      return false
    }
  }
  if (holder.host !== hostname()) return false
  return ![holder, ...childrenOf(path)].some(isAlive)
}
