/** What a file that is written has no place for, as people read it. */
import type { WriteReport } from '../data/write/write-examples.js'
import { amount, count } from '../show/units.js'
import type { Ui } from '../terminal/ui.js'

export function sayLeftOut(ui: Ui, { skipped, majorities }: Pick<WriteReport, 'skipped' | 'majorities'>) {
  for (const { file, row, reason } of skipped.slice(0, 5)) ui.warn(`${file}:${row} is left out: ${reason}`)
  if (skipped.length > 5) ui.warn(`${count(skipped.length)} rows were left out`)
  if (majorities > 0)
    ui.warn(
      `of ${amount(majorities, 'row')} with votes of several people the file holds the label that most gave, not the votes`,
      'a list has a place for votes on two answers alone',
    )
}
