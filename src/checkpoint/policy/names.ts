/** Names in a run folder: finished checkpoints, and the hidden names that no tool takes for one. */
import { join } from 'node:path'
import type { Storage } from '../../files/storage.js'

export interface CheckpointPlace {
  step: number
  path: string
}

/** Being written; becomes `checkpoint-<step>` by rename. */
export const stagingName = (step: number) => `.tmp-${process.pid}-${step}`
/** On its way out. */
export const deletedName = (step: number) => `.del-${process.pid}-${step}`
/** Stepped aside for a new checkpoint of the same step; comes back if that one never arrived. */
export const asideName = (step: number) => `.old-${process.pid}-${step}`
export const checkpointName = (step: number) => `checkpoint-${step}`

export interface Leftover {
  kind: 'tmp' | 'del' | 'old'
  pid: number
  /** The step, or a file's name for a file that was being replaced. */
  rest: string
}

export function parseLeftover(name: string): Leftover | undefined {
  const match = /^\.(tmp|del|old)-(\d+)-(.+)$/.exec(name)
  return match ? { kind: match[1] as Leftover['kind'], pid: Number(match[2]), rest: match[3] } : undefined
}

/** The step in a folder's name; undefined for every other name. */
export function stepOf(name: string): number | undefined {
  const match = /^checkpoint-(0|[1-9]\d{0,14})$/.exec(name)
  return match ? Number(match[1]) : undefined
}

/** Every folder named as a checkpoint, valid or not, newest first. No folder, no checkpoints. */
export function listCheckpoints(storage: Storage, runDir: string): CheckpointPlace[] {
  if (storage.stat(runDir)?.kind !== 'directory') return []
  const found: CheckpointPlace[] = []
  for (const name of storage.list(runDir)) {
    const step = stepOf(name)
    const path = join(runDir, name)
    if (step !== undefined && storage.stat(path)?.kind === 'directory') found.push({ step, path })
  }
  return found.sort((a, b) => b.step - a.step)
}
