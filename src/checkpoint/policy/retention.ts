/** Removes old checkpoints without ever putting the good ones at risk. */
import { join } from 'node:path'
import { removeTree, type Storage } from '../../files/storage.js'
import { errorCode } from '../../files/storage-error.js'
import { deletedName, listCheckpoints } from './names.js'
import { looksComplete } from './verify.js'

export interface RetentionOptions {
  /** How many of the newest to keep (`save_total_limit`); at least the newest is kept. */
  keepLast: number
  /** Kept as well, however old. */
  bestStep?: number
}

export interface RetentionReport {
  /** Steps removed. */
  removed: number[]
  /** Steps that could not be removed: worth a warning, no reason to stop. */
  failed: { step: number; reason: string }[]
}

/**
 * Keeps the newest `keepLast` complete checkpoints and the best one. Folders that are not complete are neither
 * counted nor touched: they may not be ours. Each goes by a rename to a hidden name first, so that a half removed
 * folder is never taken for a checkpoint.
 */
export function applyRetention(storage: Storage, runDir: string, options: RetentionOptions): RetentionReport {
  const keepLast = Math.max(1, Math.floor(options.keepLast))
  const report: RetentionReport = { removed: [], failed: [] }
  const complete = listCheckpoints(storage, runDir).filter(
    ({ path }) => looksComplete(storage, path).manifest,
  )
  for (const { step, path } of complete.slice(keepLast)) {
    if (step === options.bestStep) continue
    try {
      const hidden = join(runDir, deletedName(step))
      storage.rename(path, hidden)
      removeTree(storage, hidden)
      report.removed.push(step)
    } catch (error) {
      if (errorCode(error) === undefined) throw error
      report.failed.push({ step, reason: (error as Error).message })
    }
  }
  return report
}
