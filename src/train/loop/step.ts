/** One optimizer step: batch in, one row of numbers out. A non-finite value stops before the update. */

import { type PackedBatch, valuesByList } from '../../data/encode/pack.js'
import { numericsError } from '../../errors.js'
import type { LossParts } from '../../losses/types.js'
import { trainableWeights, withDropout } from '../../models/adapters/adapter.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { allFinite } from '../../models/decoder/finite.js'
import { recomputing } from '../../models/decoder/recompute.js'
import { clipGradients } from '../../optim/clip.js'
import type { Optimizer } from '../../optim/optimizer.js'
import { gradOf, noGrad, ops, scope, type Tensor } from '../../tensor/index.js'
import type { Objective } from '../objectives/objective.js'
import { phase } from '../profile/profile-phases.js'
import type { StepBatch } from './items.js'
import { previewStep, type StepPreview } from './preview.js'
import { Tally, tallyLogProbs, tallyRewards } from './step-metrics.js'

export interface Trainable {
  model: Decoder
  objective: Objective
  /** Margin of a pair by its rank distance, for the share of saturated hinges. */
  margin?(distance: number): number
  /** Blocks keep only their input in the forward and are computed again for their gradients: less memory, more time. */
  recompute?: boolean
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
  batch: StepBatch,
  micro: PackedBatch,
  preview: StepPreview,
  use: (loss: LossParts) => void,
): BatchNumbers {
  return scope(() => {
    const { sum, hits, aligned } = phase('forward', () => objective.forward(model, micro))
    const lists = micro.places.map((i) => batch.lists[i])
    const loss = phase('loss', () =>
      objective.loss(
        { sum, counts: micro.counts, offsets: micro.offsets, reference: referenceOf(batch, micro), aligned },
        lists,
        preview.denominators(() => sum.numbers()),
        batch.groups,
      ),
    )
    use(loss)
    return phase('log', () => {
      const parts = Object.fromEntries(Object.entries(loss.parts).map(([name, t]) => [name, t.item()]))
      return { total: loss.total.item(), parts, sums: sum.numbers(), hits: hits ? ops.sum(hits).item() : 0 }
    })
  })
}

/** By candidate, where the step has them. */
function referenceOf({ reference }: StepBatch, micro: PackedBatch): readonly number[] | undefined {
  const rows = micro.places.map((i) => reference[i])
  return rows.every((row) => row !== undefined) ? rows.flat() : undefined
}

function tallyBatch(
  tally: Tally,
  trainable: Trainable,
  batch: StepBatch,
  micro: PackedBatch,
  numbers: BatchNumbers,
): void {
  const { objective, margin } = trainable
  if (!objective.lastToken) tally.add('mean_token_accuracy', numbers.hits, micro.targets.length)
  for (const [item, sums] of valuesByList(micro, numbers.sums)) {
    if (objective.lastToken) {
      tallyRewards(tally, batch.lists[item], sums)
      continue
    }
    const [counts, reference] = [batch.counts[item], batch.reference[item]]
    const rewards = sums.map((sum, k) =>
      objective.reward ? objective.reward(sum, counts[k], reference?.[k] ?? 0) : sum / Math.max(1, counts[k]),
    )
    tallyLogProbs(tally, batch.lists[item], { sums, rewards }, margin)
  }
}

function forEachBatch(
  trainable: Trainable,
  batch: StepBatch,
  tally: Tally,
  use: (loss: LossParts) => void,
  noise?: string,
): Record<string, number> {
  const around = <T>(place: number, fn: () => T) =>
    withDropout(trainable.model, noise && `${noise}/${place}`, fn)
  const preview = previewStep(trainable, batch, noise !== undefined, around)
  const losses: Record<string, number> = { loss: 0 }
  for (const [i, micro] of batch.micro.entries()) {
    const numbers = around(i, () => runBatch(trainable, batch, micro, preview, use))
    losses.loss += numbers.total
    for (const [name, value] of Object.entries(numbers.parts)) losses[name] = (losses[name] ?? 0) + value
    phase('log', () => tallyBatch(tally, trainable, batch, micro, numbers))
  }
  for (const [name, value] of Object.entries(preview.metrics())) tally.add(name, value)
  return losses
}

export interface StepOptions {
  learningRate: number
  /** 0: not clipped. */
  maxGradNorm: number
  /** Of the run: an adapter's dropout is drawn for it, whatever came before. */
  step?: number
}

/**
 * A step in which nothing counts (no pair contrasted, all gates shut) makes no update: weight decay and momentum alone
 * would move the model.
 * @returns the step's loss, its parts and `grad_norm`; undefined for a step left out; the other metrics go to `tally`
 * @throws ClhaError (exit 5) before the update when the loss or a gradient is not finite; weights and moments stay
 */
export function trainStep(
  trainable: Trainable,
  batch: StepBatch,
  optimizer: Optimizer,
  tally: Tally,
  options: StepOptions,
): Record<string, number> | undefined {
  if (!trainable.objective.counts(batch)) return undefined
  optimizer.clearGradients()
  const losses = recomputing(trainable.model, trainable.recompute, (backward) =>
    forEachBatch(
      trainable,
      batch,
      tally,
      ({ total }) => phase('backward', () => backward(total)),
      `step ${options.step ?? 0}`,
    ),
  )
  const gradNorm = phase('clip', () =>
    clipGradients(trainableWeights(trainable.model).values(), options.maxGradNorm),
  )
  if (!Number.isFinite(losses.loss) || !Number.isFinite(gradNorm))
    throw nonFinite(trainable.model, losses, gradNorm)
  phase('optimizer', () => {
    requireFinite(momentsOf(optimizer), 'no update was made with it')
    optimizer.step(options.learningRate)
  })
  return { ...losses, grad_norm: gradNorm }
}

/** The same numbers on held-out lists, without gradients. */
export function evaluateStep(trainable: Trainable, batch: StepBatch): Record<string, number> {
  const tally = new Tally()
  const losses = noGrad(() => forEachBatch(trainable, batch, tally, () => {}))
  return { ...losses, ...tally.means() }
}

/** The moments; step counts beside them are never anything but whole numbers. */
const momentsOf = (optimizer: Optimizer) => optimizer.state().filter(([name]) => !name.startsWith('step.'))

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

function nonFinite(model: Decoder, losses: Record<string, number>, gradNorm: number) {
  const bad = (t: Tensor | undefined) => t !== undefined && !allFinite(t)
  const weights = [...new Map([...model.weights, ...trainableWeights(model)])]
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
