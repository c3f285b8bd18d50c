/** `clha gate`: reads the measures of a report, and says of each condition whether it holds. */
import { z } from 'zod'
import { usageError } from '../../errors.js'
import type { MeasuredSystems } from '../../evaluate/measures.js'
import { EXIT } from '../../exit-codes.js'
import { readJsonObject } from '../../files/json.js'
import { numberEstimate } from '../../show/numbers.js'
import { amount, figure } from '../../show/units.js'
import type { Ui } from '../../terminal/ui.js'
import { type CheckedCondition, checkCondition, readCondition } from './conditions.js'

export interface GateResult {
  report: string
  system: string
  passed: boolean
  conditions: CheckedCondition[]
  exitCode: number
}

const end = z.number().nullable()
const shape = z.object({
  subject: z.string(),
  baseline: z.string().optional(),
  systems: z.record(
    z.string(),
    z.record(z.string(), z.object({ value: end, interval: z.tuple([z.number(), z.number()]).optional() })),
  ),
})

/** @throws ClhaError (exit 2) for a report without measures, and for a condition on what it does not hold */
export function gate(path: string, texts: readonly string[], system: string | undefined, ui: Ui): GateResult {
  const conditions = texts.map(readCondition)
  const measured = measuresIn(path)
  const name = system ?? measured.subject
  if (!Object.hasOwn(measured.systems, name)) {
    throw usageError(
      `${path}: has no measures of ${name}`,
      `It has those of ${Object.keys(measured.systems).join(', ')}: choose with --system.`,
    )
  }
  const checked = conditions.map((condition) => checkCondition(condition, measured.systems[name]))
  const failed = checked.filter(({ passed }) => !passed)
  for (const condition of checked) ui.line(lineOf(condition))
  const all = `${amount(checked.length, 'condition')} on ${name}`
  ui.line(failed.length === 0 ? `passed: ${all}` : `failed: ${failed.length} of ${all}`)
  const passed = failed.length === 0
  return { report: path, system: name, passed, conditions: checked, exitCode: passed ? EXIT.done : EXIT.gate }
}

function measuresIn(path: string): MeasuredSystems {
  const report = readJsonObject(path, 'name the report.json of clha eval, compare or reward eval')
  const found = shape.safeParse(report.measures)
  if (found.success) return found.data
  throw usageError(
    `${path}: holds no measures`,
    'Name a report.json of clha eval, compare or reward eval; reports of earlier versions have none: make it again.',
  )
}

/** `pass  winrate.lower > 0.5    0.551   winrate 0.62 (0.55–0.69)`. */
function lineOf({ passed, text, found, measure, field, estimate }: CheckedCondition): string {
  const missing = field === 'value' ? 'not measured' : 'not measured: too little was seen for an interval'
  const value = found === null ? missing : figure(found)
  return `${passed ? 'pass' : 'FAIL'}  ${text}   is ${value}   ${measure} ${numberEstimate(estimate, 3)}`
}
