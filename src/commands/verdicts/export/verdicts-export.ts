/** `clha verdicts export`: a row a verdict, as JSON lines or CSV. */
import { existsSync } from 'node:fs'
import { type Prompt, promptText } from '../../../dialogue.js'
import { usageError } from '../../../errors.js'
import { writeJsonLines } from '../../../files/json-lines.js'
import { requireFreeTargets } from '../../../files/targets.js'
import { writeWhole } from '../../../files/whole.js'
import { amount } from '../../../show/units.js'
import { questionKey } from '../../../stations/systems/read-answers.js'
import type { Ui } from '../../../terminal/ui.js'
import { readComparison } from '../../../verdicts/comparison-file.js'
import { csvOf, EXPORT_LAYOUTS, exportRows } from '../../../verdicts/exchange/export-verdicts.js'
import type { Comparison } from '../../../verdicts/types.js'
import { oneOf } from '../../own-flags.js'

/** @throws ClhaError (exit 2) for a name that is neither .jsonl nor .csv, a file that is there already, and what the layout can't hold */
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
  const comparison = readComparison(file)
  if (layout === 'arena') refuseUnknownTexts(output, comparison)
  const rows = exportRows(comparison, layout)
  if (layout === 'pairs' && end === 'csv') refuseDialogues(output, rows)
  if (end === 'csv') writeWhole(output, csvOf(rows))
  else writeJsonLines(output, rows, (row) => row)
  ui.line(`${output}  ${amount(rows.length, 'verdict')}, layout ${layout}`)
  return { output, layout, verdicts: rows.length }
}

/** Empty answers in their place would be read as what the systems said. */
function refuseUnknownTexts(output: string, { items, rows }: Comparison): void {
  const judged = new Set(rows.map(({ item }) => item))
  const found = items.find(
    ({ item, answers }) => judged.has(item) && answers.some(({ text }) => text === undefined),
  )
  if (found)
    throw usageError(
      `${output}: item ${found.item}: the texts of its answers are not known, and dialogues are made of them`,
      'Write the layout pairs.',
    )
}

/** A lone question is its text; a dialogue as a text would be read back as another prompt. */
function refuseDialogues(output: string, rows: readonly Record<string, unknown>[]): void {
  const found = rows.find((row) => {
    const prompt = row.prompt as Prompt
    return questionKey(prompt) !== questionKey(promptText(prompt))
  })
  if (found)
    throw usageError(
      `${output}: item ${found.item} is a dialogue, which has no place in CSV`,
      'Write .jsonl.',
    )
}
