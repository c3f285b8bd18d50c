/** Chooses the checkpoint to go on from: the newest one that checks, saying which newer ones did not. */
import { basename, dirname } from 'node:path'
import { noCheckpointError } from '../../errors.js'
import type { Storage } from '../../files/storage.js'
import { shellPath } from '../../show/shell.js'
import type { Manifest } from './manifest.js'
import { type CheckpointPlace, listCheckpoints } from './names.js'
import { verifyCheckpoint } from './verify.js'

export interface Rejected extends CheckpointPlace {
  reason: string
}

export interface ChosenCheckpoint extends CheckpointPlace {
  manifest: Manifest
  /** Newer folders that were passed over; to be told to the user. */
  rejected: Rejected[]
}

/**
 * The newest valid checkpoint of a run; undefined if the run has none at all, valid or not.
 *
 * @throws ClhaError (exit 7) if there are checkpoints and none is valid, listing each with its reason
 */
export function newestValid(storage: Storage, runDir: string): ChosenCheckpoint | undefined {
  const rejected: Rejected[] = []
  for (const place of listCheckpoints(storage, runDir)) {
    const { manifest, reason } = verifyCheckpoint(storage, place.path)
    if (manifest !== undefined) return { ...place, manifest, rejected }
    rejected.push({ ...place, reason })
  }
  if (rejected.length === 0) return undefined
  throw noCheckpointError(
    `${runDir}: no valid checkpoint\n${describeRejected(rejected)}`,
    'copy a valid checkpoint into the folder, or start again in another output_dir',
  )
}

/**
 * One checkpoint that the user named.
 *
 * @throws ClhaError (exit 7) if it is not valid; no other is taken in its place
 */
export function requireValid(storage: Storage, path: string): Manifest {
  const { manifest, reason } = verifyCheckpoint(storage, path)
  if (manifest !== undefined) return manifest
  throw noCheckpointError(
    `${path}: not a valid checkpoint: ${reason}`,
    `name the run folder to go on from its newest valid one: --resume-from-checkpoint ${shellPath(dirname(path))}`,
  )
}

/** One line per folder that was passed over. */
export const describeRejected = (rejected: readonly Rejected[]) =>
  rejected.map(({ path, reason }) => `  ${basename(path)}: ${reason}`).join('\n')
