/** The run that a model came out of. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseRunManifest, RUN_FILE, type RunManifest } from './run-manifest.js'

export interface RunAround {
  dir: string
  manifest: RunManifest
}

/** The run that a model folder is, or lies in; undefined for a model of another tool. */
export function runAround(folder: string): RunAround | undefined {
  for (const dir of [folder, join(folder, '..')]) {
    const path = join(dir, RUN_FILE)
    const manifest = existsSync(path) ? parseRunManifest(readFileSync(path, 'utf8')) : undefined
    if (manifest) return { dir, manifest }
  }
  return undefined
}
