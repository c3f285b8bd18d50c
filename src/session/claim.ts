/** One process per output folder: it is ours before anything is read for long, and before anything is written. */

import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Options } from '../config/options.js'
import { usageError } from '../errors.js'
import { makeFolder } from '../files/folder.js'
import { shareLock, takeLock } from '../runs/lock.js'
import { LOCK_FILE, lockOrBusy, requireNoRun } from '../runs/open-run.js'
import { RUN_FILE } from '../runs/run-manifest.js'

/**
 * Runs a command as the only writer of `output_dir`.
 * @param fresh without resuming, the folder and its stages may hold no run
 * @throws ClhaError exit 3: another process writes there; exit 2: it holds a run already. Nothing is changed then
 */
export async function inOutputDir<T>(
  options: Pick<Options, 'outputDir' | 'resumeFromCheckpoint'>,
  fresh: boolean,
  run: () => Promise<T>,
): Promise<T> {
  const dir = resolve(options.outputDir)
  makeFolder(dir)
  const lock = lockOrBusy(takeLock, dir)
  const unshare = shareLock(join(dir, LOCK_FILE))
  try {
    if (fresh && options.resumeFromCheckpoint === false) {
      for (const name of ['.', ...readdirSync(dir)]) {
        if (name === '.' || existsSync(join(dir, name, RUN_FILE))) requireNoRun(join(dir, name))
      }
    }
    return await run()
  } finally {
    unshare()
    lock.release()
  }
}

/** @throws ClhaError (exit 2) for the folder of another run, where several trainings go on from their own checkpoints */
export function requireOwnFolder({
  outputDir,
  resumeFromCheckpoint,
}: Pick<Options, 'outputDir' | 'resumeFromCheckpoint'>): void {
  if (typeof resumeFromCheckpoint === 'boolean') return
  if (resolve(resumeFromCheckpoint) === resolve(outputDir)) return
  throw usageError(
    `resume_from_checkpoint: ${resumeFromCheckpoint}: each training here goes on from its own checkpoint in output_dir (${outputDir})`,
    'set it to true, with the output_dir of the run that is to go on; or name a model to begin with as model_name_or_path',
  )
}
