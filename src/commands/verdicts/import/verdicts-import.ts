/** `clha verdicts import`: rows of other tools become a comparison. */
import { existsSync } from 'node:fs'
import { formatFaults, leftOutText } from '../../../data/read/row-fault.js'
import { usageError } from '../../../errors.js'
import { takeLock } from '../../../runs/lock.js'
import { amount, count } from '../../../show/units.js'
import type { Ui } from '../../../terminal/ui.js'
import { openComparison } from '../../../verdicts/comparison-file.js'
import { importVerdicts } from '../../../verdicts/exchange/import-verdicts.js'
import { LAYOUTS } from '../../../verdicts/exchange/layouts.js'
import { oneOf, textOf } from '../../own-flags.js'

export interface ImportResult {
  output: string
  layout: string
  rows: number
  verdicts: number
  items: number
  /** Rows that were left out. */
  skipped: number
}

/** @throws ClhaError (exit 2) for rows that are no verdicts, unless skipped, and an output that is there already */
export async function verdictsImport(
  paths: readonly string[],
  flags: Record<string, unknown>,
  ui: Ui,
): Promise<ImportResult> {
  const output = String(flags.output)
  if (existsSync(output)) throw usageError(`${output}: is there already`, 'Choose another name.')
  const layout =
    flags.layout === undefined
      ? undefined
      : oneOf(
          '--layout',
          flags.layout,
          LAYOUTS.map(({ name }) => name),
        )
  const found = await importVerdicts(paths, new Date().toISOString(), layout)
  if (found.faults.length > 0 && flags.skipBad !== true) {
    throw usageError(
      `${count(found.faults.length)} of ${count(found.read)} rows are no verdicts:\n${formatFaults(found.faults)}`,
      'Fix them, or leave them out with --skip-bad.',
    )
  }
  const log = openComparison(output, found.items, { name: textOf(flags.name), lock: takeLock })
  log.append(...found.rows)
  log.close()
  ui.line(`${output}  ${amount(found.rows.length, 'verdict')} on ${amount(found.items.length, 'item')}`)
  if (found.faults.length > 0) {
    ui.warn(leftOutText(found.faults, found.read))
  }
  return {
    output,
    layout: found.layout,
    rows: found.read,
    verdicts: found.rows.length,
    items: found.items.length,
    skipped: found.faults.length,
  }
}
