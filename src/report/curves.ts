/** Turns training curves into small charts: runs of a kind together, chosen and rejected together. */

import type { Table } from '../show/table.js'
import { groupBy } from '../statistics/group-by.js'
import { type Chart, type LineSeries, lineChart } from './kit/charts.js'
import { inkOf } from './kit/palette.js'
import { curveTable } from './tables.js'
import type { Curve } from './types.js'

/** One chart and its numbers per (kind of run, metric). */
export function curveCharts(curves: Curve[]): { chart: Chart; numbers: Table }[] {
  return [...groupBy(curves, (c) => kindOf(c.name))].flatMap(([kind, runs]) => {
    const metrics = [...new Set(runs.flatMap((r) => r.metrics))]
    return [...groupBy(metrics, stemOf)].flatMap(([stem, names]) => {
      const series = seriesOf(runs, names)
      if (series.length === 0) return []
      const chart = lineChart(`${kind}: ${stem}`, 'step', stem, series)
      const measured = runs.filter((run) => names.some((name) => pointsOf(run, name).length > 0))
      return [{ chart, numbers: curveTable(measured, names) }]
    })
  })
}

function seriesOf(runs: Curve[], metrics: string[]): LineSeries[] {
  const drawn = runs.flatMap((run) =>
    metrics
      .map((metric) => ({ run: run.name, metric, points: pointsOf(run, metric) }))
      .filter((s) => s.points.length > 0),
  )
  const several = (names: string[]) => new Set(names).size > 1
  const [byRun, byMetric] = [several(drawn.map((s) => s.run)), several(drawn.map((s) => s.metric))]
  return drawn.map(({ run, metric, points }, k) => {
    const label = [byRun ? run : '', byMetric ? leafOf(metric) : ''].filter(Boolean).join(', ') || metric
    return { label, points, ink: inkOf(k) }
  })
}

function pointsOf(run: Curve, metric: string): [number, number][] {
  return run.points.flatMap((p): [number, number][] => {
    const y = p[metric]
    return typeof y === 'number' && Number.isFinite(y) ? [[p.step, y]] : []
  })
}

/** "reward fold 1" and "reward fold 2" are runs of one kind. */
const kindOf = (name: string) => name.replace(/(\s+fold)?\s+\d+$/, '')

const leafOf = (metric: string) => metric.match(/[/_](chosen|rejected)$/)?.[1] ?? metric
const stemOf = (metric: string) => metric.replace(/[/_](chosen|rejected)$/, '')
