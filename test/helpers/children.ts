/** Processes that a test file starts: none outlives it, whatever fails, and be it stopped by a signal. */
import type { ChildProcess } from 'node:child_process'
import { afterAll } from 'vitest'

const alive = new Map<ChildProcess, () => void>()

const endAll = () => {
  for (const end of alive.values()) {
    try {
      end()
    } catch {
      // It has ended by itself.
    }
  }
}
afterAll(endAll)
process.once('exit', endAll)

/** @param group it leads a process group, which ends with it */
export function tracked<Child extends ChildProcess>(child: Child, group = false): Child {
  alive.set(child, () => {
    if (group && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    else child.kill('SIGKILL')
  })
  child.once('close', () => alive.delete(child))
  return child
}
