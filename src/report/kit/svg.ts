/** Draws an echarts option as inert SVG: no script, no link, no image, no document-wide names. */

import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, MarkLineComponent } from 'echarts/components'
import { type EChartsCoreOption, init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { sha256 } from '../../files/digest.js'
import { escapeHtml } from './escape.js'

use([BarChart, CustomChart, GridComponent, LineChart, MarkLineComponent, ScatterChart, SVGRenderer])

const ALLOWED = new Set(
  'svg g path text tspan rect circle ellipse line polyline polygon defs clippath title desc'.split(' '),
)

export interface Drawing {
  /** Short name that screen readers speak first. */
  title: string
  /** What the chart shows, in a sentence. */
  description: string
  width: number
  height: number
  option: EChartsCoreOption
}

/** SVG markup with a title and a description, scaled by its viewBox. @throws Error if the SVG is not inert. */
export function drawSvg(drawing: Drawing): string {
  const { width, height } = drawing
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  let raw: string
  try {
    chart.setOption({ animation: false, ...drawing.option })
    raw = chart.renderToSVGString()
  } finally {
    chart.dispose()
  }
  const body = raw.slice(raw.indexOf('>') + 1, raw.lastIndexOf('</svg>'))
  const anonymous = body
    // Looks under the mouse pointer; nothing here reacts to one.
    .replace(/<style\s*>[\s\S]*?<\/style>/g, '')
    .replace(/ (class="[^"]*"|pointer-events="[^"]*"|ecmeta_\w+="[^"]*")/g, '')
    .replace(/(id="|\(#)zr\d+-c/g, '$1zr-c')
  // The same drawing always gets the same names, and no two drawings in one page share one.
  const digest = sha256(drawing.title, anonymous)
  const name = `c${digest.slice(0, 10)}`
  const clean = anonymous.replace(/(id="|\(#)zr-c/g, `$1${name}-c`)
  assertInert(clean)
  const label = `role="img" aria-labelledby="${name}-t ${name}-d"`
  const heading = `<title id="${name}-t">${escapeHtml(drawing.title)}</title>`
  const description = `<desc id="${name}-d">${escapeHtml(drawing.description)}</desc>`
  return `<svg viewBox="0 0 ${width} ${height}" ${label}>${heading}${description}${clean}</svg>`
}

/** A second lock behind the escaping: markup that could act is a defect of this program, not of the data. */
function assertInert(svg: string): void {
  for (const [, tag] of svg.matchAll(/<\/?([^\s>/]+)/g)) {
    if (!ALLOWED.has(tag.toLowerCase())) throw new Error(`chart contains <${tag}>, which is not allowed`)
  }
  for (const [markup] of svg.matchAll(/<[^>]*>/g)) {
    if (/\s(on\w+|[\w:]*href|src)\s*=/i.test(markup))
      throw new Error(`chart contains an active attribute: ${markup}`)
    if (/url\((?!#c[0-9a-f]{10}-c)/i.test(markup)) throw new Error(`chart refers outside itself: ${markup}`)
  }
}
