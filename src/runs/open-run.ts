/** Opens a run folder for writing: one owner at a time, leftovers cleared, the manifest written. */
import { join } from 'node:path'
import { listCheckpoints } from '../checkpoint/policy/names.js'
import { sweepLeftovers } from '../checkpoint/policy/sweep.js'
import { busyError, usageError } from '../errors.js'
import { DiskStorage, ensureDir, readWhole, type Storage } from '../files/storage.js'
import { METRICS_FILE, type MetricsWriter, openMetrics } from './metrics.js'
import {
  parseRunManifest,
  RUN_FILE,
  RUN_FORMAT,
  type RunManifest,
  type RunStatus,
  writeRunManifest,
} from './run-manifest.js'

export interface RunLock {
  release(): void
}

/** Takes the lock on a file, or returns undefined at once if another process holds it. The kernel frees it at death. */
export type TakeLock = (path: string) => RunLock | undefined

export interface OpenRunOptions
  extends Pick<RunManifest, 'kind' | 'config' | 'data' | 'hub' | 'versions' | 'hardware' | 'template_date'> {
  lock: TakeLock
  /** Go on in a folder that holds a run. */
  resume?: boolean
  /** Is the process that left something still there? For tests. */
  isAlive?: (pid: number) => boolean
}

export interface Run {
  dir: string
  /** As last written. */
  manifest: Readonly<RunManifest>
  /** Opens metrics.jsonl; on resume with the checkpoint's step, so that later rows are dropped. */
  metrics(resumeStep?: number): MetricsWriter
  /** Writes the status into run.json. */
  setStatus(status: RunStatus, details?: { exitCode?: number; error?: string }): void
  /** Releases the lock; the folder is readable by anyone at any time. */
  close(): void
}

export const LOCK_FILE = '.lock'

/**
 * @throws ClhaError exit 3: another process trains in this folder (nothing is changed then); exit 2: the folder
 *   already holds a run and `resume` is not set, or the other way round
 */
export function openRun(dir: string, options: OpenRunOptions): Run {
  const storage = new DiskStorage()
  ensureDir(storage, dir)
  const lock = lockOrBusy(options.lock, dir)
  try {
    return openLocked(storage, dir, options, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

/** @throws ClhaError (exit 3) when another process holds the folder's lock; at once, and nothing is changed */
export function lockOrBusy(take: TakeLock, dir: string): RunLock {
  const lock = take(join(dir, LOCK_FILE))
  if (lock !== undefined) return lock
  throw busyError(
    `${dir}: another process is writing this run`,
    'wait for it, stop it, or choose another output_dir',
  )
}

/** @throws ClhaError (exit 2) when the folder holds checkpoints, logged steps or what a run came to */
export function requireNoRun(dir: string): void {
  checkIntent(new DiskStorage(), dir, undefined, false)
}

function openLocked(storage: Storage, dir: string, options: OpenRunOptions, lock: RunLock): Run {
  sweepLeftovers(storage, dir, options.isAlive)
  const previous = readManifest(storage, dir)
  checkIntent(storage, dir, previous, options.resume === true)
  let manifest = startManifest(options, previous)
  writeRunManifest(storage, dir, manifest)
  return {
    dir,
    get manifest() {
      return manifest
    },
    metrics: (resumeStep) => openMetrics(join(dir, METRICS_FILE), resumeStep),
    setStatus: (status, details = {}) => {
      const { exit_code: _, error: __, ...rest } = manifest
      manifest = { ...rest, status, updated: new Date().toISOString() }
      if (details.exitCode !== undefined) manifest.exit_code = details.exitCode
      if (details.error !== undefined) manifest.error = details.error
      writeRunManifest(storage, dir, manifest)
    },
    close: () => lock.release(),
  }
}

function readManifest(storage: Storage, dir: string): RunManifest | undefined {
  const path = join(dir, RUN_FILE)
  return storage.stat(path) && parseRunManifest(readWhole(storage, path).toString('utf8'))
}

/** A start that failed before its first row or checkpoint left nothing worth keeping: it may be repeated. */
function checkIntent(
  storage: Storage,
  dir: string,
  previous: RunManifest | undefined,
  resume: boolean,
): void {
  const hasCheckpoint = listCheckpoints(storage, dir).length > 0
  const hasRows = (storage.stat(join(dir, METRICS_FILE))?.bytes ?? 0) > 0
  if (resume && previous === undefined && !hasCheckpoint) {
    throw usageError(
      `${dir}: no run to resume here`,
      'check the path, or start a new run without --resume-from-checkpoint',
    )
  }
  const isDone = (previous ?? readManifest(storage, dir))?.status === 'done'
  if (!resume && (hasCheckpoint || hasRows || isDone)) {
    throw usageError(
      `${dir}: already holds a run`,
      `go on with it: --resume-from-checkpoint true, or choose another output_dir`,
    )
  }
}

function startManifest(options: OpenRunOptions, previous: RunManifest | undefined): RunManifest {
  const now = new Date().toISOString()
  const { kind, config, data, hub, versions, hardware } = options
  const resuming = options.resume === true && previous !== undefined
  return {
    format: RUN_FORMAT,
    kind,
    status: 'running',
    started: resuming ? previous.started : now,
    updated: now,
    ...(options.template_date && { template_date: options.template_date }),
    resumed: resuming ? previous.resumed + 1 : 0,
    pid: process.pid,
    config,
    data,
    ...(hub === undefined || hub.length === 0 ? {} : { hub }),
    versions,
    hardware,
  }
}
