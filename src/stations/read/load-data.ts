/** Data files in, examples out, with everything that was left out said and listed. */
import type { Example } from '../../data/example.js'
import { readExamples } from '../../data/read/read-examples.js'
import { hubLabel } from '../../hub/cache.js'
import { materialOf } from '../../methods/registry.js'
import type { DataFile } from '../../runs/run-manifest.js'
import type { Session } from '../../session/session.js'
import { count } from '../../show/units.js'
import { listLeftOut } from './left-out.js'

export interface LoadedData {
  examples: Example[]
  files: DataFile[]
}

/** Reads a dataset; rows that were dropped are listed in `<output_dir>/skipped.jsonl`. */
export async function loadData(
  session: Session,
  paths: string | string[],
  minCandidates: 0 | 1 | 2,
): Promise<LoadedData> {
  const { options, ui } = session
  const { examples, report } = await readExamples(paths, {
    skipBad: options.skipBad,
    maxDropped: options.maxDropped,
    minCandidates,
    unpaired: materialOf(options) === 'rows',
    splitter: options.splitter,
    format: options.datasetFormat === 'auto' ? undefined : options.datasetFormat,
    columns: options.columns,
    rewardColumn: options.rewardColumn,
    limit: options.maxSamples,
  })
  if (report.faults.length > 0) {
    const dataset = [paths].flat().join(', ')
    const rows = report.faults.map((fault) => ({ dataset, ...fault }))
    const path = listLeftOut(session, 'skipped.jsonl', rows)
    ui.warn(
      `${count(report.faults.length)} of ${count(report.rows)} rows are left out`,
      `they are listed in ${path}`,
    )
  }
  return {
    examples,
    files: report.files.map(({ file, sha256, rows }) => ({ path: hubLabel(file), sha256, rows })),
  }
}
