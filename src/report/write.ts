/** Writes the three files of a report; each appears whole or not at all. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeWhole } from '../files/whole.js'
import { renderMarkdown } from './markdown.js'
import { renderAlignReport } from './render.js'
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
  const json = `${JSON.stringify(report, null, 2)}\n`
  const [markdown, html] = [renderMarkdown(report), renderAlignReport(report)]
  await mkdir(dir, { recursive: true })
  return {
    json: writeWhole(join(dir, 'report.json'), json),
    markdown: writeWhole(join(dir, 'report.md'), markdown),
    html: writeWhole(join(dir, 'report.html'), html),
  }
}
