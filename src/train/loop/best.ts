/** Where training stands, and which evaluation was the best so far. */

import { usageError } from '../../errors.js'
import { evalName } from '../../runs/metric-names.js'
import type { TallyState } from './step-metrics.js'

export interface Progress {
  /** Optimizer steps done. */
  step: number
  /** Stream tokens processed. */
  tokens: number
  /** Steps left out because nothing in them counted. */
  skipped?: number
  /** Sums since the last log row, so that a resumed run logs the same means. */
  tally?: TallyState
  bestMetric?: number
  bestStep?: number
  /** Evaluations since the best. */
  sinceBest?: number
}

export interface BestOptions {
  /** With or without its `eval_`. */
  metricForBestModel: string
  greaterIsBetter: boolean
  earlyStoppingPatience?: number
}

export class BestTracker {
  private best?: { metric: number; step: number }
  private since = 0

  constructor(
    private readonly options: BestOptions,
    start: Progress,
  ) {
    if (start.bestMetric !== undefined && start.bestStep !== undefined) {
      this.best = { metric: start.bestMetric, step: start.bestStep }
      this.since = start.sinceBest ?? 0
    }
  }

  /**
   * @returns whether this is the best so far
   * @throws ClhaError (exit 2) when the row lacks the metric that decides
   */
  see(step: number, row: Record<string, number>): boolean {
    const name = evalName(this.options.metricForBestModel)
    const metric = row[name]
    if (metric === undefined) {
      // An evaluation of another kind (generation only) has nothing to say about this metric.
      if (!('eval_loss' in row) || name.startsWith('eval_generated/')) return false
      throw usageError(
        `metric_for_best_model: no metric "${name}"`,
        `there are: ${Object.keys(row).join(', ')}`,
      )
    }
    const better = this.isBetter(metric)
    if (better) this.best = { metric, step }
    this.since = better ? 0 : this.since + 1
    return better
  }

  /** Of NaN and infinity nothing is ever the best: nothing could beat it afterwards. */
  private isBetter(metric: number): boolean {
    if (!Number.isFinite(metric)) return false
    if (!this.best) return true
    return this.options.greaterIsBetter ? metric > this.best.metric : metric < this.best.metric
  }

  exhausted(): boolean {
    const { earlyStoppingPatience } = this.options
    return earlyStoppingPatience !== undefined && this.since >= earlyStoppingPatience
  }

  state(): Pick<Progress, 'bestMetric' | 'bestStep' | 'sinceBest'> {
    return this.best ? { bestMetric: this.best.metric, bestStep: this.best.step, sinceBest: this.since } : {}
  }
}
