/** Which commits of hub names an earlier run in the same folder used: resuming it must not mix two versions. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Options } from '../../config/options.js'
import { type HubEntry, parseRunManifest, RUN_FILE } from '../../runs/run-manifest.js'

/** From run.json of the folders that are resumed, and of their stages. */
export function recordedEntries({ outputDir, resumeFromCheckpoint }: Options): HubEntry[] {
  const named =
    typeof resumeFromCheckpoint === 'string' ? [resumeFromCheckpoint, dirname(resumeFromCheckpoint)] : []
  const roots = [outputDir, ...named].filter((dir) => existsSync(dir))
  const stages = existsSync(outputDir) ? readdirSync(outputDir).map((name) => join(outputDir, name)) : []
  return [...roots, ...stages].flatMap((dir) => {
    const path = join(dir, RUN_FILE)
    return (existsSync(path) && parseRunManifest(readFileSync(path, 'utf8'))?.hub) || []
  })
}
