/** Run folders below a folder, with the last figures of each; nothing in them is changed. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { stepOf } from '../checkpoint/policy/names.js'
import type { MetricRow } from './metrics.js'
import { type RunContents, readRun } from './read-run.js'
import { RUN_FILE } from './run-manifest.js'

/** How deep runs lie: `runs/<experiment>/<method>/<seed>/<stage>`. */
const DEPTH = 5

/** Folders of runs, in order of their names; checkpoints, links and hidden folders are passed over. */
export function findRuns(root: string, depth = DEPTH): string[] {
  const here = statSync(join(root, RUN_FILE), { throwIfNoEntry: false })?.isFile() ? [root] : []
  if (depth === 0) return here
  const below = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && stepOf(entry.name) === undefined)
    .map(({ name }) => join(root, name))
    .sort()
  return [...here, ...below.flatMap((folder) => findRuns(folder, depth - 1))]
}

export interface RunSummary extends Omit<RunContents, 'rows' | 'torn' | 'badLines'> {
  /** The last step that was logged or saved. */
  step: number
  /** The last value of each metric that is a number. */
  metrics: Record<string, number>
}

/** @throws ClhaError (exit 2) where the folder holds no run */
export function summaryOfRun(dir: string): RunSummary {
  const { manifest, rows, checkpoints } = readRun(dir)
  const step = Math.max(0, rows.at(-1)?.step ?? 0, checkpoints[0]?.step ?? 0)
  return { dir, manifest, checkpoints, step, metrics: lastMetrics(rows) }
}

function lastMetrics(rows: readonly MetricRow[]): Record<string, number> {
  const last: Record<string, number> = {}
  for (const { step: _, ...row } of rows)
    for (const [name, value] of Object.entries(row)) if (typeof value === 'number') last[name] = value
  return last
}
