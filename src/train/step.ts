/** One optimizer step: plan in, one row of numbers out. A non-finite value stops before the update. */
import { numericsError } from '../errors.js'
import type { Denominators, LossParts } from '../losses/types.js'
import type { Decoder } from '../models/decoder.js'
import type { AdamW } from '../optim/adamw.js'
import { clipGradients } from '../optim/clip.js'
import type { PackedBatch } from '../data/pack.js'
import { backward, gradOf, noGrad, ops, scope, type Tensor } from '../tensor/index.js'
import type { StepPlan } from './items.js'
import { Tally, tallyLogProbs, tallyRewards } from './metrics.js'
import type { Objective } from './objective.js'

export interface Trainable {
  model: Decoder
  objective: Objective
  /** Margin of a pair by its rank distance, for the share of saturated hinges. */
  margin(distance: number): number
}

interface BatchNumbers {
  total: number
  parts: Record<string, number>
  sums: number[]
  hits: number
}

/** Forward of one micro-batch; `use` sees the loss before its tensors are freed. */
function runBatch(
  { model, objective }: Trainable,
  plan: StepPlan,
  batch: PackedBatch,
  denominators: Denominators,
  use: (loss: LossParts) => void,
): BatchNumbers {
  return scope(() => {
    const { sum, hits } = objective.forward(model, batch)
    const lists = batch.lists.map((i) => plan.lists[i])
    const loss = objective.loss({ sum, counts: batch.counts, offsets: batch.offsets }, lists, denominators, plan.groups)
    use(loss)
    const parts = Object.fromEntries(Object.entries(loss.parts).map(([name, t]) => [name, t.item()]))
    return { total: loss.total.item(), parts, sums: sum.numbers(), hits: hits ? ops.sum(hits).item() : 0 }
  })
}

function tallyBatch(tally: Tally, trainable: Trainable, plan: StepPlan, batch: PackedBatch, numbers: BatchNumbers): void {
  const { objective, margin } = trainable
  if (!objective.lastToken) tally.add('mean_token_accuracy', numbers.hits, batch.targets.length)
  batch.lists.forEach((item, i) => {
    const sums = numbers.sums.slice(batch.offsets[i], batch.offsets[i + 1])
    if (objective.lastToken) tallyRewards(tally, plan.lists[item], sums)
    else tallyLogProbs(tally, plan.lists[item], { sums, counts: plan.counts[item] }, margin)
  })
}

function forEachBatch(
  trainable: Trainable,
  plan: StepPlan,
  tally: Tally,
  use: (loss: LossParts) => void,
): Record<string, number> {
  const denominators = trainable.objective.denominators(plan)
  const losses: Record<string, number> = { loss: 0 }
  for (const batch of plan.micro) {
    const numbers = runBatch(trainable, plan, batch, denominators, use)
    losses.loss += numbers.total
    for (const [name, value] of Object.entries(numbers.parts)) losses[name] = (losses[name] ?? 0) + value
    tallyBatch(tally, trainable, plan, batch, numbers)
  }
  return losses
}

export interface StepOptions {
  learningRate: number
  /** 0: not clipped. */
  maxGradNorm: number
}

/**
 * @returns the step's loss, its parts and `grad_norm`; the other metrics go to `tally`
 * @throws ClhaError (exit 5) before the update when the loss or a gradient is not finite; weights and moments stay
 */
export function trainStep(
  trainable: Trainable,
  plan: StepPlan,
  optimizer: AdamW,
  tally: Tally,
  options: StepOptions,
): Record<string, number> {
  optimizer.clearGradients()
  const losses = forEachBatch(trainable, plan, tally, ({ total }) => backward(total))
  const gradNorm = clipGradients(trainable.model.weights.values(), options.maxGradNorm)
  if (!Number.isFinite(losses.loss) || !Number.isFinite(gradNorm)) throw nonFinite(trainable.model, losses, gradNorm)
  optimizer.step(options.learningRate)
  return { ...losses, grad_norm: gradNorm }
}

/** The same numbers on held-out lists, without gradients. */
export function evaluateStep(trainable: Trainable, plan: StepPlan): Record<string, number> {
  const tally = new Tally()
  const losses = noGrad(() => forEachBatch(trainable, plan, tally, () => {}))
  return { ...losses, ...tally.means() }
}

function nonFinite(model: Decoder, losses: Record<string, number>, gradNorm: number) {
  const bad = (t: Tensor | undefined) => t !== undefined && scope(() => ops.all(ops.isFinite(t)).item() === 0)
  const named: string[] = []
  for (const [name, weight] of model.weights) {
    if (bad(weight)) named.push(`weight ${name}`)
    else if (scope(() => bad(gradOf(weight)))) named.push(`gradient of ${name}`)
    if (named.length >= 3) break
  }
  const values = Object.entries({ ...losses, grad_norm: gradNorm }).map(([k, v]) => `${k} ${v}`)
  return numericsError(
    `a value is not finite: ${values.join(', ')}${named.length > 0 ? `; first in ${named.join(', ')}` : ''}`,
    'no update was made from it; usual cures: a lower learning_rate, a longer warm-up, float32 instead of bfloat16',
  )
}
