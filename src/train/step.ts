/** One optimizer step: plan in, one row of numbers out. A non-finite value stops before the update. */

import type { PackedBatch } from '../data/pack.js'
import { numericsError } from '../errors.js'
import type { Denominators, LossParts } from '../losses/types.js'
import type { Decoder } from '../models/decoder.js'
import type { AdamW } from '../optim/adamw.js'
import { clipGradients } from '../optim/clip.js'
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
    const loss = objective.loss(
      { sum, counts: batch.counts, offsets: batch.offsets },
      lists,
      denominators,
      plan.groups,
    )
    use(loss)
    const parts = Object.fromEntries(Object.entries(loss.parts).map(([name, t]) => [name, t.item()]))
    return { total: loss.total.item(), parts, sums: sum.numbers(), hits: hits ? ops.sum(hits).item() : 0 }
  })
}

function tallyBatch(
  tally: Tally,
  trainable: Trainable,
  plan: StepPlan,
  batch: PackedBatch,
  numbers: BatchNumbers,
): void {
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
 * A step in which nothing counts (no pair contrasted, all gates shut) makes no update: weight decay and momentum alone
 * would move the model.
 * @returns the step's loss, its parts and `grad_norm`; undefined for a step left out; the other metrics go to `tally`
 * @throws ClhaError (exit 5) before the update when the loss or a gradient is not finite; weights and moments stay
 */
export function trainStep(
  trainable: Trainable,
  plan: StepPlan,
  optimizer: AdamW,
  tally: Tally,
  options: StepOptions,
): Record<string, number> | undefined {
  if (!trainable.objective.counts(plan)) return undefined
  optimizer.clearGradients()
  const losses = forEachBatch(trainable, plan, tally, ({ total }) => backward(total))
  const gradNorm = clipGradients(trainable.model.weights.values(), options.maxGradNorm)
  if (!Number.isFinite(losses.loss) || !Number.isFinite(gradNorm))
    throw nonFinite(trainable.model, losses, gradNorm)
  requireFinite(momentsOf(optimizer), 'no update was made with it')
  optimizer.step(options.learningRate)
  return { ...losses, grad_norm: gradNorm }
}

/** The same numbers on held-out lists, without gradients. */
export function evaluateStep(trainable: Trainable, plan: StepPlan): Record<string, number> {
  const tally = new Tally()
  const losses = noGrad(() => forEachBatch(trainable, plan, tally, () => {}))
  return { ...losses, ...tally.means() }
}

/** First and second moments; the step counts beside them are never anything but whole numbers. */
const momentsOf = (optimizer: AdamW) => optimizer.state().filter(([name]) => name.startsWith('exp_avg'))

/** @throws ClhaError (exit 5) naming the first tensors that hold NaN or infinity */
export function requireFinite(tensors: Iterable<readonly [string, Tensor]>, hint: string): void {
  const all = [...tensors]
  // One norm over everything is one wait; only where it is not finite the tensors are looked at one by one.
  const norm = (t: readonly Tensor[]) =>
    noGrad(() => scope(() => ops.sum(ops.stack(ops.foreachNorm(t))).item()))
  if (all.length === 0 || Number.isFinite(norm(all.map(([, t]) => t)))) return
  const named = all.filter(([, t]) => !allFinite(t)).map(([name]) => name)
  if (named.length > 0) throw numericsError(`a value is not finite: ${named.slice(0, 3).join(', ')}`, hint)
}

const allFinite = (t: Tensor): boolean => noGrad(() => scope(() => ops.all(ops.isFinite(t)).item() !== 0))

function nonFinite(model: Decoder, losses: Record<string, number>, gradNorm: number) {
  const bad = (t: Tensor | undefined) => t !== undefined && !allFinite(t)
  const weights = [...model.weights]
  // One bad weight makes every gradient bad: gradients are news only where all weights are finite.
  const origin = weights.filter(([, w]) => bad(w)).map(([name]) => `weight ${name}`)
  const reached = () =>
    weights.filter(([, w]) => scope(() => bad(gradOf(w)))).map(([name]) => `gradient of ${name}`)
  const named = (origin.length > 0 ? origin : reached()).slice(0, 3)
  const values = Object.entries({ ...losses, grad_norm: gradNorm }).map(([k, v]) => `${k} ${v}`)
  return numericsError(
    `a value is not finite: ${values.join(', ')}${named.length > 0 ? `; first in ${named.join(', ')}` : ''}`,
    'no update was made from it; usual cures: a lower learning_rate, a longer warm-up, float32 instead of bfloat16',
  )
}
