/** What a cell learnt from, as single figures; and the cells that learnt from next to nothing, which are refused. */
import { join } from 'node:path'
import type { Options } from '../../config/options.js'
import { usageError } from '../../errors.js'
import { materialOf } from '../../methods/registry.js'
import type { AuditReport } from '../../rescore/audit.js'
import type { RankedList } from '../../rescore/ranked.js'
import { METRICS_FILE, readMetrics } from '../../runs/metrics.js'
import { percent } from '../../show/units.js'
import { mean } from '../../statistics/statistics.js'
import type { OrdersRight } from './orders-right.js'

export type Figures = Record<string, number>

/** Whether a method learns from pairs, or from one answer a prompt. */
const contrasts = (options: Options): boolean => materialOf(options) !== 'answer'

/** Shares of pairs and orders, and what rescoring went by; `audit` is missing where labels were taken as they stand. */
export function learntFigures(
  options: Options,
  lists: readonly RankedList[],
  { audit, orders }: { audit?: AuditReport; orders?: OrdersRight },
): Figures {
  const pairs = lists.flatMap((list) => list.pairs)
  const contrasted = pairs.filter(({ weight }) => weight > 0).length
  return {
    ...(contrasts(options) && pairs.length > 0 && { contrasted: contrasted / pairs.length }),
    ...(orders && {
      order_right_label: orders.label,
      order_right_reward: orders.reward,
      order_right_posterior: orders.posterior,
    }),
    ...(audit && { ...calibrationFigures(audit), ...truthFigures(audit) }),
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

/** Below this share of contrasted pairs a training is little more than SFT; the audit warns there. */
const FEW_PAIRS = 0.05

/** @throws ClhaError (exit 2) where a method on pairs is left with hardly any: its figures would be those of SFT */
export function requirePairs({ contrasted = 1 }: Figures): void {
  if (contrasted >= FEW_PAIRS) return
  throw usageError(
    `only ${percent(contrasted)} of the pairs are contrasted`,
    'lower min_confidence, or name the variant in few_pairs where that is what you want to see',
  )
}

/** As figures are kept: 0.3, not 0.30000000000000004. */
export const sixDigits = (x: number): number => Number(x.toPrecision(6))
