/** Conditions on a report: `winrate.lower > 0.5`, read strictly and held against what was measured. */
import { suggest } from '../../config/suggest.js'
import { usageError } from '../../errors.js'
import { MEASURES, type Measures, measureOf } from '../../evaluate/measures.js'
import type { Estimate } from '../../statistics/estimate.js'

const OPERATORS = {
  '>=': (x: number, y: number) => x >= y,
  '<=': (x: number, y: number) => x <= y,
  '>': (x: number, y: number) => x > y,
  '<': (x: number, y: number) => x < y,
}

export interface Condition {
  /** As it was written. */
  text: string
  /** Key of the measures, such as `winrate@second`. */
  measure: string
  field: 'value' | 'lower' | 'upper'
  operator: keyof typeof OPERATORS
  bound: number
}

export interface CheckedCondition extends Condition {
  passed: boolean
  /** What was compared; null where the report has no such number. */
  found: number | null
  estimate: Estimate
}

const FORM =
  'Conditions look like "winrate.lower > 0.5": a measure, with .lower or .upper an end of its interval.'

/** The last sign decides: names of categories may hold spaces and signs as well; a sign at their end needs a space behind it. */
const CONDITION = /^\s*(.*?(?:[^\s<>=]|[<>=](?=\s)))\s*(>=|<=|>|<)\s*([^\s<>=]+)\s*$/

/** @throws ClhaError (exit 2) for what is no condition, or names no measure */
export function readCondition(text: string): Condition {
  const found = CONDITION.exec(text)
  if (!found) throw usageError(`--require ${JSON.stringify(text)}: no condition`, FORM)
  const [, left, operator, right] = found
  const bound = Number(right)
  if (!Number.isFinite(bound))
    throw usageError(`--require ${JSON.stringify(text)}: ${right} is no number`, FORM)
  const [, measure, field = 'value'] = /^(.+?)(?:\.(value|lower|upper))?$/.exec(left) as RegExpExecArray
  if (measureOf(measure) === undefined) throw unknownMeasure(text, measure)
  return {
    text: text.trim(),
    measure,
    bound,
    field: field as Condition['field'],
    operator: operator as Condition['operator'],
  }
}

function unknownMeasure(text: string, measure: string) {
  const names = Object.keys(MEASURES)
  const near = suggest(measure.split('@')[0], names)
  const meant = near ? `Did you mean "${near}"? ` : ''
  return usageError(
    `--require ${JSON.stringify(text)}: no measure "${measure}"`,
    `${meant}Measures: ${names.join(', ')}.`,
  )
}

/**
 * Holds a condition against the measures of a system. An end of an interval that nobody could give fails.
 * @throws ClhaError (exit 2) for a measure that the report lacks
 */
export function checkCondition(condition: Condition, measures: Measures): CheckedCondition {
  const { measure, field, operator, bound, text } = condition
  const estimate = Object.hasOwn(measures, measure) ? measures[measure] : undefined
  if (!estimate) {
    throw usageError(
      `--require ${JSON.stringify(text)}: the report has no ${measure}`,
      `It has ${Object.keys(measures).join(', ')}.`,
    )
  }
  const ends = { value: estimate.value, lower: estimate.interval?.[0], upper: estimate.interval?.[1] }
  const found = ends[field] ?? null
  return { ...condition, estimate, found, passed: found !== null && OPERATORS[operator](found, bound) }
}
