/** `clha verdicts export`: a row a verdict, as JSON lines or CSV. */
import { existsSync } from 'node:fs'
import { usageError } from '../../../errors.js'
import { writeJsonLines } from '../../../files/json-lines.js'
import { requireFreeTargets } from '../../../files/targets.js'
import { writeWhole } from '../../../files/whole.js'
import { amount } from '../../../show/units.js'
import type { Ui } from '../../../terminal/ui.js'
import { readComparison } from '../../../verdicts/comparison-file.js'
import { csvOf, EXPORT_LAYOUTS, exportRows } from '../../../verdicts/exchange/export-verdicts.js'
import { oneOf } from '../../own-flags.js'

/** @throws ClhaError (exit 2) for a name that is neither .jsonl nor .csv, and a file that is there already */
export function verdictsExport(file: string, flags: Record<string, unknown>, ui: Ui) {
  const output = String(flags.output)
  const end = /\.(jsonl|csv)$/.exec(output)?.[1]
  if (!end) throw usageError(`${output}: verdicts are written as .jsonl or .csv`, 'Give it such a name.')
  if (existsSync(output) && flags.force !== true)
    throw usageError(`${output}: is there already`, 'Choose another name, or write over it with --force.')
  requireFreeTargets([output], [file])
  const layout = oneOf('--layout', flags.layout ?? 'pairs', EXPORT_LAYOUTS)
  if (layout === 'arena' && end === 'csv')
    throw usageError(`${output}: dialogues have no place in CSV`, 'Write .jsonl, or the layout pairs.')
  const rows = exportRows(readComparison(file), layout)
  if (end === 'csv') writeWhole(output, csvOf(rows))
  else writeJsonLines(output, rows, (row) => row)
  ui.line(`${output}  ${amount(rows.length, 'verdict')}, layout ${layout}`)
  return { output, layout, verdicts: rows.length }
}
