/** The findings of `clha data lint` as people read them. */

import { EXIT } from '../../../exit-codes.js'
import { RULES, SEVERITIES } from '../../../inspect/findings.js'
import { findingText } from '../../../inspect/lint.js'
import { tableOf } from '../../../show/table.js'
import { amount, count } from '../../../show/units.js'
import type { Ui } from '../../../terminal/ui.js'
import type { LintResult } from './lint-result.js'

/** Places shown for each rule. */
const SHOWN = 3

type Found = LintResult & { data: readonly string[]; failOn: string }

export function sayLint(ui: Ui, { rules, rows, severities, exitCode, data, failOn }: Found): void {
  const name = data.join(', ')
  if (rules.length === 0) {
    ui.line(`${name}  ${amount(rows, 'row')}, nothing found`)
    return
  }
  ui.station(name, `${amount(rows, 'row')}`)
  ui.table(
    tableOf(
      rules.map(({ code, severity, count: n }) => ({
        severity,
        code,
        count: n,
        meaning: RULES[code].meaning,
      })),
      [
        { key: 'severity' },
        { key: 'code', title: 'rule' },
        { key: 'count', title: 'found' },
        { key: 'meaning' },
      ],
    ),
  )
  for (const { code, first, count: n } of rules) {
    ui.line(`\n${code}`)
    for (const item of first.slice(0, SHOWN)) ui.line(`  ${findingText(item)}`)
    if (n > SHOWN) ui.line(`  … and ${count(n - SHOWN)} more (--json lists all)`)
  }
  const totals = SEVERITIES.map((name) => amount(severities[name], name))
  ui.line(`\n${totals.join(', ')}`)
  if (exitCode !== EXIT.done) ui.line(`exit code ${exitCode}: --fail-on ${failOn}`)
}
