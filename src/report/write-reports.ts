/** Writes reports; each file appears whole or not at all. What draws them is loaded when there is one to draw. */

import { join } from 'node:path'
import { makeFolder } from '../files/folder.js'
import { writeWhole } from '../files/whole.js'
import type { AuditReport } from '../rescore/audit.js'
import type { ExperimentReport } from './experiment/page.js'
import type { AlignReport } from './types.js'

export interface ReportFiles {
  json: string
  markdown: string
  html: string
}

/**
 * Writes `report.json`, `report.md` and `report.html` into `dir`, which is made if needed.
 * Everything is rendered before the first file is written. Numbers that JSON lacks (NaN, infinity) become null.
 */
export async function writeReports(dir: string, report: AlignReport): Promise<ReportFiles> {
  const { renderMarkdown } = await import('./markdown.js')
  const { renderAlignReport, renderEvalReport } = await import('./render.js')
  const json = `${JSON.stringify(report, null, 2)}\n`
  const [markdown, html] = [
    renderMarkdown(report),
    whole(report) ? renderAlignReport(report) : renderEvalReport(report),
  ]
  makeFolder(dir)
  return {
    json: writeWhole(join(dir, 'report.json'), json),
    markdown: writeWhole(join(dir, 'report.md'), markdown),
    html: writeWhole(join(dir, 'report.html'), html),
  }
}

/** Whether a report tells of a whole alignment, and not of an evaluation alone. */
const whole = ({ stations, curves, audit, rewardModel }: AlignReport): boolean =>
  [stations, curves, audit, rewardModel].some((part) => part !== undefined)

/** Writes the page of an audit. @returns `path` */
export async function writeAuditPage(path: string, audit: AuditReport): Promise<string> {
  const { renderAuditReport } = await import('./render.js')
  return writeWhole(path, renderAuditReport(audit))
}

/** Writes `table.csv`, `table.tex`, `table.md` and `report.html` into `dir`. @returns the path of the page */
export async function writeExperimentReport(dir: string, report: ExperimentReport): Promise<string> {
  const { experimentMarkdown, experimentPage } = await import('./experiment/page.js')
  const { experimentCsv, experimentLatex } = await import('./experiment/files.js')
  writeWhole(join(dir, 'table.csv'), experimentCsv(report))
  writeWhole(join(dir, 'table.tex'), experimentLatex(report))
  writeWhole(join(dir, 'table.md'), experimentMarkdown(report))
  return writeWhole(join(dir, 'report.html'), experimentPage(report))
}
