/** What `clha data lint` found. */

import type { Finding, RuleCode, Severity } from '../../../inspect/findings.js'
import type { LabelLengths } from '../../../inspect/length-bias.js'

export interface LintResult {
  rows: number
  severities: Record<Severity, number>
  rules: { code: RuleCode; severity: Severity; count: number; first: Finding[] }[]
  lengthBias?: LabelLengths
  exitCode: number
}
