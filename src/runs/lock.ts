/** The lock of a run folder: the kernel's own, so that a process that dies, however it dies, holds it no longer. */
import { resolve } from 'node:path'
import { native } from '../tensor/index.js'
import type { TakeLock } from './open-run.js'

/** Lock files that a command of this process holds; its runs share them. */
const held = new Set<string>()

export const takeLock: TakeLock = (path) => {
  if (held.has(resolve(path))) return { release: () => {} }
  const fd = native().tryLock(path)
  return fd === null ? undefined : { release: () => native().unlock(fd) }
}

/** Shares a lock that is held with the runs of this process. @returns ends it */
export function shareLock(path: string): () => void {
  const key = resolve(path)
  if (held.has(key)) return () => {}
  held.add(key)
  return () => held.delete(key)
}
