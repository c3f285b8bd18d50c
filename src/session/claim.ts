/** One process per output folder: it is ours before anything is read for long, and before anything is written. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Options } from '../config/options.js'
import { LOCK_FILE, lockOrBusy, requireNoRun, type TakeLock } from '../runs/open-run.js'
import { RUN_FILE } from '../runs/run-manifest.js'
import { native } from '../tensor/index.js'

/** Lock files that a pipeline of this process holds; its runs share them. */
const held = new Set<string>()

/** The kernel's file lock: a process that dies, however it dies, holds it no longer. */
export const takeLock: TakeLock = (path) => {
  if (held.has(resolve(path))) return { release: () => {} }
  const fd = native().tryLock(path)
  return fd === null ? undefined : { release: () => native().unlock(fd) }
}

/**
 * Runs a pipeline as the only writer of `output_dir`.
 * @param fresh without resuming, the folder and its stages may hold no run
 * @throws ClhaError exit 3: another process writes there; exit 2: it holds a run already. Nothing is changed then
 */
export async function inOutputDir<T>(
  options: Pick<Options, 'outputDir' | 'resumeFromCheckpoint'>,
  fresh: boolean,
  run: () => Promise<T>,
): Promise<T> {
  const dir = resolve(options.outputDir)
  mkdirSync(dir, { recursive: true })
  const lock = lockOrBusy(takeLock, dir)
  const path = join(dir, LOCK_FILE)
  const outermost = !held.has(path)
  held.add(path)
  try {
    if (fresh && options.resumeFromCheckpoint === false) {
      for (const name of ['.', ...readdirSync(dir)]) {
        if (name === '.' || existsSync(join(dir, name, RUN_FILE))) requireNoRun(join(dir, name))
      }
    }
    return await run()
  } finally {
    if (outermost) held.delete(path)
    lock.release()
  }
}
