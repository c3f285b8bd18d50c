/** The first thing in a report: is it better, by how much, how sure. */

import { headlinesOf } from './judgements.js'
import { escapeHtml as esc } from './kit/escape.js'
import { type Html, list, paragraphs, type Section } from './kit/html.js'
import type { EvalReport } from './types.js'

export function headlineSection(report: EvalReport): Section {
  const body = headlinesOf(report)
    .map(({ answer, lines: [size, ...rest] }): Html => {
      return `<div class="headline"><p class="answer-line">${esc(answer)}</p>${paragraphs([size])}${list(rest)}</div>`
    })
    .join('\n')
  return { id: 'better', heading: 'Is it better?', body }
}
