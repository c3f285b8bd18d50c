/** The three reports: one HTML file each, complete in itself. */
import type { AuditReport } from '../rescore/audit.js'
import { auditSections } from './audit-section.js'
import { comparisonSections } from './comparison-section.js'
import { evaluationSection } from './evaluation-section.js'
import { headlineSection } from './headline-section.js'
import { page, paragraphs } from './kit/html.js'
import { rewardEvaluationSection } from './reward-section.js'
import { samplesSection } from './samples-section.js'
import { curvesSection, leadOf, resultSection, rewardModelSection, runSection, whenLine } from './sections.js'
import type { AlignReport, EvalReport, ReportHeader } from './types.js'

/** A whole alignment run. Parts that the report lacks are absent from the page. */
export function renderAlignReport(report: AlignReport): string {
  const when = whenLine(report)
  const lead = (when ? paragraphs([when]) : '') + leadOf(report, report.audit)
  return page(report.title, lead, [
    headlineSection(report),
    resultSection(report.evaluation, report.multiSeed),
    samplesSection(report.samples),
    evaluationSection(report.evaluation),
    ...auditSections(report.audit),
    rewardModelSection(report.rewardModel, report.audit?.calibrations),
    curvesSection(report.curves),
    runSection(report),
  ])
}

/** The audit alone, as `clha rescore` writes it. */
export function renderAuditReport(
  audit: AuditReport,
  header: ReportHeader = { title: 'Audit of the labels' },
): string {
  return page(header.title, leadOf(header, audit), [
    ...auditSections(audit),
    rewardModelSection(undefined, audit.calibrations),
    runSection(header),
  ])
}

/** An evaluation or a comparison alone, as `clha eval`, `compare` and `reward eval` write it. */
export function renderEvalReport(report: EvalReport): string {
  return page(report.title, leadOf(report), [
    headlineSection(report),
    resultSection(report.evaluation, report.multiSeed),
    rewardEvaluationSection(report.rewardEvaluation),
    ...comparisonSections(report.comparison),
    samplesSection(report.samples),
    evaluationSection(report.evaluation),
    runSection(report),
  ])
}
