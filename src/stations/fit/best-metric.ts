/** `metric_for_best_model`, before the first step: by a name that no evaluation logs nothing would ever be the best. */
import { didYouMean, suggest } from '../../config/suggest.js'
import { usageError } from '../../errors.js'
import { evalName } from '../../runs/metric-names.js'
import { packStep, type TrainItem } from '../../train/loop/items.js'
import type { LoopOptions } from '../../train/loop/loop.js'
import { evaluateStep, type Trainable } from '../../train/loop/step.js'

/**
 * Evaluates held-out lists, a batch at a time, until the metric shows; most often it is in the first one. Names of generated
 * answers are checked with the config.
 * @throws ClhaError (exit 2) naming the metrics that there are
 */
export function requireBestMetric(
  trainable: Trainable,
  devItems: readonly TrainItem[],
  options: Omit<LoopOptions, 'saveBest'>,
): void {
  const name = evalName(options.metricForBestModel)
  if (devItems.length === 0 || name === 'eval_loss' || name.startsWith('eval_generated/')) return
  const known = new Set<string>()
  for (let at = 0; at < devItems.length; at += options.batchSize) {
    const batch = packStep(devItems.slice(at, at + options.batchSize), options)
    for (const metric of Object.keys(evaluateStep(trainable, batch))) known.add(`eval_${metric}`)
    if (known.has(name)) return
  }
  throw usageError(
    `metric_for_best_model: no metric "${name}"${didYouMean(suggest(name, [...known]), '.')}`,
    `there are: ${[...known].join(', ')}`,
  )
}
