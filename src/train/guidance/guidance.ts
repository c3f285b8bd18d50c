/** Warnings while a training runs: each once per cause, and again only after the cause was gone. */
import type { MetricRow } from '../../runs/metrics.js'
import type { RunWarning } from '../../runs/run-warning.js'
import { CAUSES, type Cause, GUIDE_RULES, type GuideSettings } from './guidance-rules.js'
import { createSeries } from './guidance-series.js'

export type { GuideSettings } from './guidance-rules.js'

export interface Guide {
  /** Takes the next row. @returns warnings that it raised */
  see(row: MetricRow): RunWarning[]
}

/** A cause is gone when its rule is this far within its threshold. */
const RECOVERED = 0.8

export function createGuide(settings: GuideSettings): Guide {
  const series = createSeries()
  const raised = new Set<Cause>()
  return {
    see(row) {
      series.add(row)
      return CAUSES.flatMap((cause): RunWarning[] => {
        const finding = GUIDE_RULES[cause](series, settings)
        if (!finding) return []
        const { level, metric, value, text, advice } = finding
        if (level < RECOVERED) raised.delete(cause)
        if (level < 1 || raised.has(cause)) return []
        raised.add(cause)
        return [
          { cause, metric, value, text, advice: `${advice}. docs/guidance.md#${cause.replaceAll('_', '-')}` },
        ]
      })
    },
  }
}
