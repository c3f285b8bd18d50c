/** The three reports: one HTML file each, complete in itself. */
import type { AuditReport } from '../rescore/audit.js'
import { auditSections } from './audit-section.js'
import { evaluationSection } from './evaluation-section.js'
import { page, paragraphs } from './kit/html.js'
import { rewardEvaluationSection } from './reward-section.js'
import { samplesSection } from './samples-section.js'
import {
  curvesSection,
  remarksOf,
  resultSection,
  rewardModelSection,
  runSection,
  whenLine,
} from './sections.js'
import type { AlignReport, EvalReport, ReportHeader } from './types.js'
import { comparisonSections } from './verdicts/comparison-section.js'

/** A whole alignment run. Parts that the report lacks are absent from the page. */
export function renderAlignReport(report: AlignReport): string {
  const when = whenLine(report)
  const { lead, result } = opening(report, report.audit)
  return page(report.title, (when ? paragraphs([when]) : '') + lead, [
    result,
    samplesSection(report.samples),
    evaluationSection(report.evaluation),
    ...auditSections(report.audit),
    rewardModelSection(report.rewardModel, report.audit),
    curvesSection(report.curves),
    runSection(report),
  ])
}

/** The audit alone, as `clha rescore` writes it. */
export function renderAuditReport(
  audit: AuditReport,
  header: ReportHeader = { title: 'Audit of the labels' },
): string {
  return page(header.title, remarksOf(header, audit), [
    ...auditSections(audit),
    rewardModelSection(undefined, audit),
    runSection(header),
  ])
}

/** An evaluation or a comparison alone, as `clha eval`, `compare` and `reward eval` write it. */
export function renderEvalReport(report: EvalReport): string {
  const { lead, result } = opening(report)
  return page(report.title, lead, [
    result,
    rewardEvaluationSection(report.rewardEvaluation),
    ...comparisonSections(report.comparison),
    samplesSection(report.samples),
    evaluationSection(report.evaluation),
    runSection(report),
  ])
}

/** A page opens with its result; remarks stand below it, and under the title only where there is none. */
function opening(report: EvalReport, audit?: AuditReport) {
  const remarks = remarksOf(report, audit)
  const result = resultSection(report, remarks)
  return { lead: result.body ? '' : remarks, result }
}
