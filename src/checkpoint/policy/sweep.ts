/** Clears what earlier processes left when they were stopped in the middle of a save or a removal. */
import { join } from 'node:path'
import { removeTree, type Storage } from '../../files/storage.js'
import { checkpointName, type Leftover, parseLeftover } from './names.js'

export interface SweepReport {
  /** Names removed. */
  removed: string[]
  /** Checkpoints that got their name back. */
  restored: string[]
}

/**
 * Run at start, with the folder's lock held and before a checkpoint is chosen. Leftovers of living processes stay;
 * our own process id can only be that of a dead process that had it before.
 */
export function sweepLeftovers(storage: Storage, runDir: string, isAlive = isOtherProcessAlive): SweepReport {
  const report: SweepReport = { removed: [], restored: [] }
  if (storage.stat(runDir)?.kind !== 'directory') return report
  for (const name of storage.list(runDir)) {
    const leftover = parseLeftover(name)
    if (leftover === undefined || isAlive(leftover.pid)) continue
    if (restore(storage, runDir, name, leftover)) {
      report.restored.push(checkpointName(Number(leftover.rest)))
    } else {
      removeTree(storage, join(runDir, name))
      report.removed.push(name)
    }
  }
  if (report.restored.length > 0) storage.fsyncDir(runDir)
  return report
}

/** A checkpoint that stepped aside for one that never arrived. */
function restore(storage: Storage, runDir: string, name: string, { kind, rest }: Leftover): boolean {
  if (kind !== 'old' || !/^\d+$/.test(rest)) return false
  const target = join(runDir, checkpointName(Number(rest)))
  if (storage.stat(target) !== undefined) return false
  storage.rename(join(runDir, name), target)
  return true
}

function isOtherProcessAlive(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: there is such a process, of another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
