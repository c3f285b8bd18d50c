/** The first thing in a report: is it better, by how much, how sure. */

import { escapeHtml as esc } from '../kit/escape.js'
import { type Html, list, paragraphs } from '../kit/html.js'
import type { EvalReport } from '../types.js'
import { headlinesOf } from './judgements.js'

/** One answer a system, in large letters; nothing where nobody judged. */
export const headlineBody = (report: EvalReport): Html =>
  headlinesOf(report)
    .map(({ answer, lines: [size, ...rest] }): Html => {
      const body = paragraphs([whole(size)]) + list(rest.map(whole))
      return `<div class="headline"><p class="answer-line">${esc(answer)}</p>${body}</div>`
    })
    .join('\n')

/** A number and its sign stay on one line. */
const whole = (line: string): string => line.replace(/(\d) %/g, '$1\u00a0%')
