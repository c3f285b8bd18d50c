/** What a cell learnt from, as single figures; and the cells that learnt from next to nothing, which are refused. */
import { join } from 'node:path'
import type { Options } from '../../config/options.js'
import { usageError } from '../../errors.js'
import { materialOf, needsRewards } from '../../methods/registry.js'
import type { AuditReport } from '../../rescore/audit.js'
import { METRICS_FILE, readMetrics } from '../../runs/metrics.js'
import { percent } from '../../show/units.js'
import { mean } from '../../statistics/statistics.js'
import type { Started } from './start.js'

export type Figures = Record<string, number>

/** Whether a method learns from pairs, or from one answer a prompt. */
const contrasts = (options: Options): boolean => materialOf(options) !== 'answer'

/** Shares of pairs and orders, and what rescoring went by. */
export async function learntFigures(
  options: Options,
  audit: AuditReport,
  started: Pick<Started, 'right'>,
  augmented: number,
): Promise<Figures> {
  const { pairs } = audit.total
  const right = await started.right?.(augmented)
  const orders = right && {
    order_right_label: right.label,
    order_right_reward: right.reward,
    order_right_posterior: right.posterior,
  }
  return {
    ...(contrasts(options) && pairs.total > 0 && { contrasted: pairs.contrasted / pairs.total }),
    ...orders,
    ...(needsRewards(options) && { ...calibrationFigures(audit), ...truthFigures(audit) }),
  }
}

/** Means over the folds. */
function calibrationFigures({ calibrations }: AuditReport): Figures {
  if (calibrations.length === 0) return {}
  const over = (name: string, values: readonly (number | undefined)[]): Figures => {
    const known = values.filter((x) => x !== undefined)
    return known.length === calibrations.length ? { [name]: mean(known) } : {}
  }
  return {
    ...over(
      'label_error',
      calibrations.map((c) => c.labelError),
    ),
    ...over(
      'label_error_low',
      calibrations.map((c) => c.labelErrorInterval?.[0]),
    ),
    ...over(
      'label_error_high',
      calibrations.map((c) => c.labelErrorInterval?.[1]),
    ),
    ...over(
      'reward_temperature',
      calibrations.map((c) => c.temperature),
    ),
  }
}

/** How well the audit found what was reversed, where that is known. */
function truthFigures({ truth }: AuditReport): Figures {
  if (!truth) return {}
  const { precision, recall, orderRight } = truth
  const shares = { audit_precision: precision, audit_recall: recall, order_right: orderRight }
  return Object.fromEntries(
    Object.entries(shares).flatMap(([name, { share }]) => (share === null ? [] : [[name, share]])),
  )
}

/** The mean of the loss that ranks, over the training's log. */
export function lossFigures(dir: string): Figures {
  const { rows } = readMetrics(join(dir, METRICS_FILE))
  const losses = rows.flatMap(({ rank_loss: rank, loss }) => {
    const value = rank ?? loss
    return typeof value === 'number' ? [value] : []
  })
  return losses.length > 0 ? { rank_loss: mean(losses) } : {}
}

/** @throws ClhaError (exit 2) where a method on pairs is left with hardly any: its figures would be those of SFT */
export function requirePairs(options: Options, { total: { pairs }, warnings }: AuditReport): void {
  if (!contrasts(options) || !warnings.some(({ code }) => code === 'few_pairs')) return
  throw usageError(
    `only ${percent(pairs.contrasted / Math.max(1, pairs.total))} of the pairs are contrasted`,
    'lower min_confidence, or name the variant in few_pairs where that is what you want to see',
  )
}
