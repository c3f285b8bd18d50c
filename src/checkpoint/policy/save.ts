/** Saves a checkpoint: staged, hashed, fsynced, named at once. A named checkpoint is complete; no other is chosen. */
import { join } from 'node:path'
import { resourceError } from '../../errors.js'
import { ensureDir, removeTree, type Storage } from '../../files/storage.js'
import { errorCode, isFull } from '../../files/storage-error.js'
import { syncOrFail, writeFile } from '../../files/whole.js'
import type { SaveFile } from '../format/save-file.js'
import {
  isFileName,
  MANIFEST_FORMAT,
  MANIFEST_NAME,
  type ManifestFile,
  serializeManifest,
} from './manifest.js'
import { asideName, checkpointName, stagingName } from './names.js'
import { type Pause, withRetries } from './retry.js'
import { verifyCheckpoint } from './verify.js'

export interface SaveInfo {
  /** SHA-256 of the resolved configuration. */
  configSha256: string
  /** Read everything back and compare hashes before the checkpoint gets its name. Default false. */
  readBack?: boolean
  /** Waits between tries; a test passes its own. */
  pause?: Pause
}

export interface SavedCheckpoint {
  path: string
  /** All files together, without the manifest. */
  bytes: number
}

/** Free space asked for, relative to the checkpoint: file systems need some for themselves. */
const HEADROOM = 1.2

/**
 * Saves `checkpoint-<step>` in `runDir`. When it returns, the checkpoint survives a power loss; if it throws, every
 * earlier checkpoint is as it was. The caller holds the run folder's lock.
 *
 * Order: free space, hidden staging folder, files (each fsynced), manifest last, fsync of the folder, rename, fsync
 * of the parent. Transient errors are tried again from the start, three times; a failed fsync never is.
 *
 * @throws ClhaError (exit 4) with the path and, where the disk is full, the missing bytes
 */
export function saveCheckpoint(
  storage: Storage,
  runDir: string,
  step: number,
  files: readonly SaveFile[],
  info: SaveInfo,
): SavedCheckpoint {
  checkNames(files)
  const target = join(runDir, checkpointName(step))
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  try {
    withRetries(() => {
      ensureDir(storage, runDir)
      requireSpace(storage, runDir, target, bytes)
      saveOnce(storage, runDir, step, files, info)
    }, info.pause)
  } catch (error) {
    throw saveError(storage, runDir, target, bytes, error)
  }
  return { path: target, bytes }
}

function checkNames(files: readonly SaveFile[]): void {
  const seen = new Set<string>()
  for (const { path } of files) {
    if (!isFileName(path) || seen.has(path))
      throw new Error(`"${path}" can't be a file of a checkpoint, or is there twice`)
    seen.add(path)
  }
}

function requireSpace(storage: Storage, runDir: string, target: string, bytes: number): void {
  const missing = Math.ceil(bytes * HEADROOM) - storage.freeBytes(runDir)
  if (missing > 0) throw fullError(target, bytes, missing)
}

function saveOnce(
  storage: Storage,
  runDir: string,
  step: number,
  files: readonly SaveFile[],
  info: SaveInfo,
): void {
  const staging = join(runDir, stagingName(step))
  try {
    removeTree(storage, staging)
    storage.mkdir(staging)
    writeFiles(storage, staging, step, files, info)
    syncOrFail(() => storage.fsyncDir(staging), staging)
    giveName(storage, runDir, step, staging)
  } catch (error) {
    cleanUp(() => removeTree(storage, staging))
    throw error
  }
}

function writeFiles(
  storage: Storage,
  staging: string,
  step: number,
  files: readonly SaveFile[],
  info: SaveInfo,
): void {
  const entries: Record<string, ManifestFile> = {}
  for (const file of files) {
    const path = join(staging, file.path)
    const written = writeFile(storage, path, file.chunks())
    if (written.bytes !== file.bytes) {
      throw new Error(`${file.path}: announced ${file.bytes} bytes, gave ${written.bytes}`)
    }
    entries[file.path] = written
  }
  const manifest = { format: MANIFEST_FORMAT, step, config_sha256: info.configSha256, files: entries }
  writeFile(storage, join(staging, MANIFEST_NAME), [Buffer.from(serializeManifest(manifest))])
  if (!info.readBack) return
  const { reason } = verifyCheckpoint(storage, staging)
  if (reason !== undefined) throw resourceError(`${staging}: read back differently than written: ${reason}`)
}

/** A checkpoint of the same step (a run that went back) steps aside, and comes back if this one does not arrive. */
function giveName(storage: Storage, runDir: string, step: number, staging: string): void {
  const target = join(runDir, checkpointName(step))
  const aside = join(runDir, asideName(step))
  const displaced = storage.stat(target) !== undefined
  if (displaced) {
    removeTree(storage, aside)
    storage.rename(target, aside)
  }
  try {
    storage.rename(staging, target)
  } catch (error) {
    if (displaced) cleanUp(() => storage.rename(aside, target))
    throw error
  }
  syncOrFail(() => storage.fsyncDir(runDir), runDir)
  if (displaced) cleanUp(() => removeTree(storage, aside))
}

/** What can't be cleaned up now is swept at the next start; the error that led here matters more. */
function cleanUp(action: () => void): void {
  try {
    action()
  } catch {
    // Swept later.
  }
}

const KEPT = 'earlier checkpoints are untouched'

function fullError(target: string, bytes: number, missing: number): Error {
  const message = `${target}: the disk is full: ${missing} bytes more are needed to save ${bytes} bytes`
  return resourceError(message, `free some space, or save elsewhere with output_dir; ${KEPT}`)
}

function saveError(storage: Storage, runDir: string, target: string, bytes: number, error: unknown): unknown {
  if (errorCode(error) === undefined) return error
  if (isFull(error)) {
    let free = 0
    cleanUp(() => {
      free = storage.freeBytes(runDir)
    })
    return fullError(target, bytes, Math.max(1, Math.ceil(bytes * HEADROOM) - free))
  }
  const why = error instanceof Error ? error.message : String(error)
  return resourceError(`${target}: the save failed: ${why}`, `check the disk and its permissions; ${KEPT}`)
}
