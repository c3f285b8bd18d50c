/** Reads a run folder, also while it is being written, and changes nothing in it. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { type CheckpointPlace, listCheckpoints } from '../checkpoint/policy/names.js'
import { usageError } from '../errors.js'
import { DiskStorage } from '../files/storage.js'
import { METRICS_FILE, type MetricsFile, readMetrics } from './metrics.js'
import { parseRunManifest, RUN_FILE, type RunManifest } from './run-manifest.js'

export interface RunContents extends MetricsFile {
  dir: string
  manifest: RunManifest
  /** Newest first; not verified. */
  checkpoints: CheckpointPlace[]
}

/** @throws ClhaError (exit 2) if the folder holds no run */
export function readRun(dir: string): RunContents {
  const path = join(dir, RUN_FILE)
  const manifest = isFile(path) ? parseRunManifest(fs.readFileSync(path, 'utf8')) : undefined
  if (manifest === undefined) throw usageError(`${dir}: no run here (no readable ${RUN_FILE})`)
  const metrics = join(dir, METRICS_FILE)
  const rows = isFile(metrics) ? readMetrics(metrics) : { rows: [], torn: false, badLines: [] }
  return { dir, manifest, ...rows, checkpoints: listCheckpoints(new DiskStorage(), dir) }
}

/** A pipe or device in place of a file could hang the reader. */
const isFile = (path: string) => fs.statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
