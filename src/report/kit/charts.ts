/** The charts of a report. Each returns a drawing; the look of its series goes to the legend beside it. */

import { formatNumber, formatSigned, hasInterval } from '../../show/numbers.js'
import { wholePercent } from '../../show/units.js'
import type { Estimate, Interval } from '../../statistics/estimate.js'
import { pickEvenly } from '../tables.js'
import { visible } from './escape.js'
import { INK, type Ink } from './palette.js'
import { type Drawing, drawSvg } from './svg.js'

export interface LegendItem {
  label: string
  ink: Ink
  kind: 'line' | 'mark' | 'fill'
}

/** A finished chart. */
export interface Chart {
  title: string
  svg: string
  legend: LegendItem[]
}

export interface LineSeries {
  label: string
  ink: Ink
  points: [number, number][]
  /** Steps instead of slopes: for histograms. */
  step?: 'start' | 'end'
}

const WIDTH = 380
const FONT = 13
const POINTS = 240
const SMOOTH_FROM = 60

const textStyle = { fontFamily: 'inherit', fontSize: FONT, color: INK.text }

/** One line of text for an axis: nothing that breaks the line or the layout. */
const axisText = (label: string, limit = 22): string => {
  const points = [...visible(label).replace(/\s+/g, ' ')]
  return points.length > limit ? `${points.slice(0, limit - 1).join('')}…` : points.join('')
}

function valueAxis(name: string, format: (x: number) => string, extra: object = {}) {
  return {
    type: 'value',
    name: axisText(name, 40),
    nameLocation: 'middle',
    nameTextStyle: textStyle,
    axisLabel: { ...textStyle, formatter: format, hideOverlap: true },
    axisLine: { show: true, onZero: false, lineStyle: { color: INK.axis } },
    axisTick: { lineStyle: { color: INK.axis } },
    splitLine: { lineStyle: { color: INK.grid, opacity: 0.28 } },
    splitNumber: 4,
    ...extra,
  }
}

const grid = { left: 8, right: 16, top: 12, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' }

/** Ticks of one axis all get the digits that its step needs. */
function ticksFor(values: number[]): (x: number) => string {
  const range = Math.max(...values) - Math.min(...values)
  const digits = range > 0 ? Math.min(6, Math.max(0, -Math.floor(Math.log10(range / 4)))) : 2
  return (x) => formatNumber(x, digits)
}

const plain = (x: number) => (Math.abs(x) >= 1000 ? formatNumber(x, 0) : String(x).replace('-', '−'))

/** Lines over steps. Long noisy runs get a mean line over a pale raw one. */
export function lineChart(title: string, xName: string, yName: string, lines: LineSeries[]): Chart {
  const series = lines.flatMap(({ ink, points, step }) => {
    const base = { type: 'line', showSymbol: points.length === 1, symbol: ink.mark, silent: true, step }
    const bold = { color: ink.colour, width: 2, type: ink.dash }
    if (step || points.length <= SMOOTH_FROM) {
      return [
        { ...base, data: pickEvenly(points, POINTS), lineStyle: bold, itemStyle: { color: ink.colour } },
      ]
    }
    const pale = { color: ink.colour, width: 1, opacity: 0.3 }
    return [
      { ...base, data: pickEvenly(points, POINTS), lineStyle: pale },
      { ...base, data: pickEvenly(smooth(points), POINTS), lineStyle: bold },
    ]
  })
  const xs = lines.flatMap((l) => l.points.map((p) => p[0]))
  const ys = lines.flatMap((l) => l.points.map((p) => p[1]))
  const xAxis = valueAxis(xName, plain, {
    min: Math.min(...xs),
    max: Math.max(...xs),
    splitLine: { show: false },
  })
  const option = { grid, xAxis, yAxis: valueAxis(yName, ticksFor(ys), { scale: true }), series }
  const description = `Lines over ${xName}: ${lines.map((l) => `${l.label} ends at ${formatNumber(l.points.at(-1)?.[1])}`).join('; ')}.`
  return finish({ title, description, height: 240, option }, lines, 'line')
}

/** Two counts over shared bins, as stepped lines; filled lightly, told apart by dash. */
export function histogramChart(
  title: string,
  xName: string,
  edges: number[],
  bins: { label: string; ink: Ink; counts: number[] }[],
): Chart {
  const lines = bins.map(({ label, ink, counts }) => ({
    label,
    ink,
    points: [
      ...counts.map((count, k) => [edges[k], count] as [number, number]),
      [edges.at(-1)!, counts.at(-1) ?? 0] as [number, number],
    ],
  }))
  const series = lines.map(({ ink, points }) => ({
    type: 'line',
    step: 'end',
    silent: true,
    showSymbol: false,
    data: points,
    lineStyle: { color: ink.colour, width: 2, type: ink.dash },
    areaStyle: { color: ink.colour, opacity: 0.12 },
  }))
  const x = valueAxis(xName, plain, { min: edges[0], max: edges.at(-1), splitLine: { show: false } })
  const option = { grid, xAxis: x, yAxis: valueAxis('answers', plain, { min: 0 }), series }
  const description = `Counts over ${edges.length - 1} bins of ${xName}, from ${formatSigned(edges[0])} to ${formatSigned(edges.at(-1))}: ${bins.map((b) => `${b.label}, ${formatNumber(sum(b.counts), 0)} in all`).join('; ')}.`
  return finish({ title, description, height: 240, option }, lines, 'line')
}

/** Observed against predicted share, with the diagonal of a calibrated model and intervals. */
export function reliabilityChart(
  title: string,
  models: {
    label: string
    ink: Ink
    bins: readonly { predicted: number; observed: number; interval: Interval }[]
  }[],
): Chart {
  const lines = models.flatMap(({ ink, bins }) => {
    const data = bins.map((b) => [b.predicted, b.observed])
    const look = { symbol: ink.mark, symbolSize: 8, itemStyle: { color: ink.colour } }
    const line = { type: 'line', silent: true, data, lineStyle: { color: ink.colour, width: 2 }, ...look }
    return [
      whiskers(
        bins.map((b) => [b.predicted, { value: b.observed, interval: b.interval }] as const),
        ink,
        'y',
      ),
      line,
    ]
  })
  const ends = models.flatMap((m) => m.bins.flatMap((b) => [b.predicted, ...b.interval]))
  const axis = { min: Math.floor(Math.min(0.5, ...ends) * 4) / 4, max: 1, interval: 0.25 }
  const diagonal = [
    [axis.min, axis.min],
    [1, 1],
  ]
  const dashed = { color: INK.axis, width: 1, type: [4, 4] }
  const option = {
    grid,
    xAxis: valueAxis('predicted agreement', (x) => wholePercent(x), axis),
    yAxis: valueAxis('observed agreement', (x) => wholePercent(x), axis),
    series: [{ type: 'line', silent: true, showSymbol: false, data: diagonal, lineStyle: dashed }, ...lines],
  }
  const description = `Observed against predicted agreement for ${models.map((m) => m.label).join(', ')}; on the dashed diagonal a model is as sure as it should be.`
  return finish({ title, description, height: 290, option }, models, 'mark')
}

/** One row per category, one mark with its interval per series. */
export function dotChart(
  title: string,
  xName: string,
  categories: string[],
  dots: { label: string; ink: Ink; values: (Estimate | undefined)[] }[],
  width = WIDTH,
): Chart {
  // Rows count downward; within a row the series are spread so that intervals never cover each other.
  const place = (row: number, k: number) => row + (dots.length > 1 ? (k / (dots.length - 1) - 0.5) * 0.5 : 0)
  const series = dots.flatMap(({ ink, values }, k) => {
    const data = values.map((e, row) => [place(row, k), e] as const)
    const points = data.flatMap(([y, e]) => (e && e.value !== null ? [[e.value, y]] : []))
    return [
      whiskers(data, ink, 'x'),
      {
        type: 'scatter',
        silent: true,
        data: points,
        symbol: ink.mark,
        symbolSize: 10,
        itemStyle: { color: ink.colour, borderWidth: 2 },
      },
    ]
  })
  const option = {
    grid,
    xAxis: valueAxis(xName, plain, { scale: true }),
    yAxis: {
      ...valueAxis('', (y) => (Number.isInteger(y) ? axisText(categories[y] ?? '', 18) : '')),
      axisLine: { show: true, onZero: true, lineStyle: { color: INK.axis } },
      inverse: true,
      min: -0.5,
      max: categories.length - 0.5,
      interval: 0.5,
      axisTick: { show: false },
      splitLine: { show: false },
    },
    series,
  }
  const description = `${xName} by ${dots.map((d) => d.label).join(', ')} for ${categories.map((c) => visible(c)).join(', ')}.`
  const height = 70 + categories.length * Math.max(34, 16 * dots.length)
  return finish({ title, description, width, height, option }, dots, 'mark')
}

/** Marks in a plane: what was gained on y at what cost on x. */
export function frontierChart(title: string, xName: string, yName: string, marks: LineSeries[]): Chart {
  const series = marks.map(({ ink, points }) => ({
    type: 'scatter',
    silent: true,
    data: points,
    symbol: ink.mark,
    symbolSize: 11,
    itemStyle: { color: ink.colour },
  }))
  const ys = marks.flatMap(({ points }) => points.map((p) => p[1]))
  const xAxis = valueAxis(xName, plain, { scale: true, splitLine: { show: false } })
  const option = { grid, xAxis, yAxis: valueAxis(yName, ticksFor(ys), { scale: true }), series }
  const description = `${yName} against ${xName} of ${marks.map((m) => visible(m.label)).join(', ')}.`
  return finish({ title, description, height: 290, option }, marks, 'mark')
}

/** One full-width bar per category, split into shares that are written into it. */
export function shareChart(
  title: string,
  xName: string,
  categories: string[],
  parts: { label: string; ink: Ink; counts: number[] }[],
): Chart {
  const all = categories.map((_, row) => sum(parts.map((p) => p.counts[row])))
  const series = parts.map(({ label, ink, counts }) => ({
    type: 'bar',
    stack: 'all',
    silent: true,
    barWidth: 20,
    data: counts.map((c, row) => (all[row] > 0 ? c / all[row] : 0)),
    itemStyle: { color: ink.colour, borderColor: 'transparent' },
    label: {
      show: true,
      ...textStyle,
      color: '#ffffff',
      fontWeight: 600,
      formatter: ({ value }: { value: number }) => shareLabel(label, value),
    },
  }))
  const option = {
    grid,
    xAxis: valueAxis(xName, (x) => wholePercent(x), { min: 0, max: 1, interval: 0.25 }),
    yAxis: {
      type: 'category',
      inverse: true,
      data: categories.map((c) => axisText(c, 18)),
      axisLabel: textStyle,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: INK.axis } },
    },
    series,
  }
  const description = `Shares for ${categories.map((c) => visible(c)).join(', ')}: ${parts.map((p) => p.label).join(', ')}.`
  return finish({ title, description, height: 70 + categories.length * 32, option }, parts, 'fill')
}

/** Name and share if the segment has room for both, else the share, else nothing. */
function shareLabel(label: string, share: number): string {
  const fits = (text: string) => text.length * 7.6 + 6 < share * 285
  const percent = wholePercent(share)
  return [`${axisText(label, 16)} ${percent}`, percent].find(fits) ?? ''
}

/** Interval lines through estimates: `at` is the coordinate on the other axis. */
function whiskers(data: readonly (readonly [number, Estimate | undefined])[], ink: Ink, along: 'x' | 'y') {
  const ends = data.flatMap(([at, e]) => (hasInterval(e) ? [[at, ...e.interval]] : []))
  return {
    type: 'custom',
    silent: true,
    // Both ends count for the extent of the value axis.
    encode: along === 'x' ? { x: [1, 2], y: 0 } : { x: 0, y: [1, 2] },
    data: ends,
    renderItem: (_: unknown, api: { value(k: number): number; coord(p: number[]): number[] }) => {
      const at = (v: number) => api.coord(along === 'x' ? [v, api.value(0)] : [api.value(0), v])
      const [[x1, y1], [x2, y2]] = [at(api.value(1)), at(api.value(2))]
      return { type: 'line', shape: { x1, y1, x2, y2 }, style: { stroke: ink.colour, lineWidth: 2 } }
    },
  }
}

function finish(
  drawing: Omit<Drawing, 'width'> & { width?: number },
  items: { label: string; ink: Ink }[],
  kind: LegendItem['kind'],
): Chart {
  const svg = drawSvg({ width: WIDTH, ...drawing })
  return { title: drawing.title, svg, legend: items.map(({ label, ink }) => ({ label, ink, kind })) }
}

/** Centred running mean over a thirtieth of the run. */
function smooth(points: [number, number][]): [number, number][] {
  const half = Math.max(1, Math.round(points.length / 60))
  return points.map(([x], k) => {
    const near = points.slice(Math.max(0, k - half), k + half + 1)
    return [x, sum(near.map((p) => p[1])) / near.length]
  })
}

const sum = (xs: number[]) => xs.reduce((a, b) => a + b, 0)
