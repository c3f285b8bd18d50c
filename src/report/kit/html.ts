/** The page around a report and its few building blocks. Every string that enters is escaped here. */

import type { Table } from '../../show/table.js'
import { count } from '../../show/units.js'
import type { Chart, LegendItem } from './charts.js'
import { escapeHtml as esc, shorten } from './escape.js'
import { CSS } from './style.js'

/** Nothing may load and nothing may run: styles inside the file, images as data, that is all. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

/** Markup that is safe to join. Only this file and `sections` make it. */
export type Html = string

export interface Section {
  id: string
  heading: string
  body: Html
}

/** The whole file. `lead` stands under the title; empty sections are left out. */
export function page(title: string, lead: Html, sections: Section[]): string {
  const shown = sections.filter((s) => s.body !== '')
  const links = shown.map((s) => `<li><a href="#${s.id}">${esc(s.heading)}</a></li>`).join('')
  const bodies = shown.map((s) => `<section id="${s.id}"><h2>${esc(s.heading)}</h2>\n${s.body}\n</section>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${esc(title)}</title>
<style>${CSS}</style>
</head>
<body>
<header><h1>${esc(title)}</h1>
${lead}</header>
${shown.length > 2 ? `<nav aria-label="Sections"><ul>${links}</ul></nav>` : ''}
<main>
${bodies.join('\n')}
</main>
</body>
</html>
`
}

/** Words of this program: a flag of a command stays on one line. */
const prose = (text: string): Html =>
  esc(text).replace(/(?<![\w-])(?:-- )?--?[A-Za-z][\w-]*/g, '<span class="flag">$&</span>')

/**
 * A table with its caption; `quiet` hides the caption from the eye where the heading already says it.
 * `heat` [rows][columns] in [0, 1] tints cells.
 */
export function table(t: Table, quiet = false, heat?: (number | undefined)[][]): Html {
  if (t.rows.length === 0) return ''
  const head = t.columns
    .map((c) => `<th scope="col"${c.numeric ? ' class="n"' : ''}>${esc(c.label)}</th>`)
    .join('')
  const rows = t.rows.map((row, r) => {
    const cells = row.map((cell, k) => {
      const name = k === 0 && !t.columns[0].numeric ? 'th' : 'td'
      const tint = heat?.[r][k]
      const classes = [t.columns[k].numeric ? 'n' : '', tint === undefined ? '' : 'hot']
        .filter(Boolean)
        .join(' ')
      const attributes = [
        name === 'th' ? ' scope="row"' : '',
        classes && ` class="${classes}"`,
        tint === undefined ? '' : ` style="--heat:${(tint * 0.5).toFixed(2)}"`,
      ]
      return `<${name}${attributes.join('')}>${prose(cell)}</${name}>`
    })
    return `<tr>${cells.join('')}</tr>`
  })
  const caption = `<caption${quiet ? ' class="hidden"' : ''}>${esc(t.caption)}</caption>`
  // Wide tables scroll on their own; the keyboard reaches them.
  return `<div class="scroll" role="region" tabindex="0" aria-label="${esc(t.caption)}"><table>${caption}<thead><tr>${head}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table></div>`
}

/** A chart, its legend, and its numbers as a table that opens on demand. */
export function figure(chart: Chart, numbers: Table, remark?: string): Html {
  const legend =
    chart.legend.length > 1 ? `<ul class="legend">${chart.legend.map(legendItem).join('')}</ul>` : ''
  const note = remark ? `<p class="remark">${prose(remark)}</p>` : ''
  return `<figure><figcaption>${esc(chart.title)}</figcaption>${legend}${chart.svg}${note}${folded('Numbers', table(numbers))}</figure>`
}

/** Opens on demand, without a script. */
export const folded = (summary: string, body: Html): Html =>
  body ? `<details><summary>${esc(summary)}</summary>${body}</details>` : ''

export const figures = (items: Html[]): Html =>
  items.length ? `<div class="figures">${items.join('\n')}</div>` : ''

export const paragraphs = (lines: readonly string[]): Html =>
  lines.map((line) => `<p>${prose(line)}</p>`).join('\n')

export function list(items: readonly string[], className = ''): Html {
  if (items.length === 0) return ''
  return `<ul${className ? ` class="${className}"` : ''}>${items.map((item) => `<li>${prose(item)}</li>`).join('')}</ul>`
}

/** Text from people or models: own direction, own lines, never markup. */
export const quoted = (text: string, className = 'quoted'): Html =>
  `<div class="${className}" dir="auto">${esc(text)}</div>`

/** Text up to a limit; what is left out is counted, never dropped in silence. */
export function long(text: string, limit: number, className?: string): Html {
  if (text === '') return '<p class="remark">(empty)</p>'
  const cut = shorten(text, limit)
  return quoted(cut.text, className) + (cut.remark ? `<p class="remark">${esc(cut.remark)}</p>` : '')
}

export const moreInJson = (left: number): Html =>
  left > 0 ? paragraphs([`${count(left)} more in report.json.`]) : ''

function legendItem({ label, ink, kind }: LegendItem): Html {
  return `<li><svg viewBox="0 0 26 12" width="26" height="12" aria-hidden="true">${swatch({ ink, kind })}</svg>${esc(label)}</li>`
}

function swatch({ ink, kind }: Pick<LegendItem, 'ink' | 'kind'>): Html {
  if (kind === 'mark') return markSwatch(ink.mark, ink.colour)
  if (kind === 'fill') return `<path d="M8 0H20V12H8Z" fill="${ink.colour}"/>`
  const dash = ink.dash === 'solid' ? '' : ` stroke-dasharray="${ink.dash.join(' ')}"`
  return `<path d="M0 6H26" stroke="${ink.colour}" stroke-width="2.5" fill="none"${dash}/>`
}

function markSwatch(mark: string, colour: string): Html {
  const line = `<path d="M1 6H25" stroke="${colour}" stroke-width="2"/>`
  const shapes: Record<string, string> = {
    circle: 'M8 6a5 5 0 1 0 10 0a5 5 0 1 0-10 0Z',
    diamond: 'M13 0.5L18.5 6L13 11.5L7.5 6Z',
    triangle: 'M13 0.5L18.5 11H7.5Z',
    arrow: 'M13 0.5L17.5 11L13 8.5L8.5 11Z',
    rect: 'M8 1H18V11H8Z',
    roundRect: 'M9 1H17L18 2V10L17 11H9L8 10V2Z',
  }
  return `${line}<path d="${shapes[mark] ?? shapes.circle}" fill="${colour}"/>`
}
