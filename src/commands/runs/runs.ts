/** Looks through folders of runs; reads what they recorded and changes nothing. */
import { statSync } from 'node:fs'
import { ClhaError, usageError } from '../../errors.js'
import { findRuns, type RunSummary, summaryOfRun } from '../../runs/find-runs.js'
import { RUN_FILE } from '../../runs/run-manifest.js'
import type { Ui } from '../../terminal/ui.js'
import type { CommandCall, Outcome } from '../command.js'
import { differences } from './differences.js'
import { sayComparison, sayRuns } from './say-runs.js'

const USUAL = 'runs'

/**
 * A run that can't be read is left out, unless it is named itself.
 * @throws ClhaError (exit 2) for a folder that is not there, or holds no run; for a comparison of fewer than two
 */
export async function runs({
  args,
  flags,
  ui,
}: Pick<CommandCall, 'args' | 'flags' | 'ui'>): Promise<Outcome> {
  const roots = args.length > 0 ? args : [USUAL]
  const found = [...new Set(roots.flatMap(below))].flatMap((dir) => summaryOf(dir, roots.includes(dir), ui))
  if (flags.compare !== true) {
    sayRuns(ui, found)
    return { result: { runs: found.map(recordOf) } }
  }
  if (found.length < 2) {
    throw usageError(
      `--compare: ${roots.join(', ')} holds ${found.length === 0 ? 'no' : 'one'} run, and it takes two`,
      'name another folder, such as clha runs --compare runs/a runs/b',
    )
  }
  const differ = differences(found)
  sayComparison(ui, found, differ)
  return { result: { runs: found.map(recordOf), differences: differ } }
}

function summaryOf(dir: string, isNamed: boolean, ui: Pick<Ui, 'warn'>): RunSummary[] {
  try {
    return [summaryOfRun(dir)]
  } catch (error) {
    if (isNamed || !(error instanceof ClhaError)) throw error
    ui.warn(`${error.message}: it is left out`)
    return []
  }
}

function below(root: string): string[] {
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) throw usageError(`${root}: no such folder`)
  const found = findRuns(root)
  if (found.length > 0) return found
  throw usageError(
    `${root}: no run here (no ${RUN_FILE} in it or below)`,
    'clha train and clha align make runs',
  )
}

const recordOf = ({ dir, manifest, step, metrics, checkpoints }: RunSummary) => ({
  dir,
  kind: manifest.kind,
  status: manifest.status,
  started: manifest.started,
  updated: manifest.updated,
  resumed: manifest.resumed,
  step,
  checkpoints: checkpoints.map((checkpoint) => checkpoint.step),
  metrics,
})
