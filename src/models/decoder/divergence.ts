/** How certain a model is of its tokens, and how far it is from another one, over the whole vocabulary. */
import type { PackedBatch } from '../../data/encode/pack.js'
import { i64, noGrad, ops, scope, type Tensor } from '../../tensor/index.js'
import { type Decoder, decode, logits } from './decoder.js'
import { notFinite } from './finite.js'
import { streamOf } from './score.js'

export interface Divergence {
  /** Sum over tokens of the entropy of the next token, nats. */
  entropy: number
  /** Sum over tokens of KL(model ‖ other), nats; 0 without another model. */
  kl: number
  tokens: number
}

/** Probabilities that are held at a time, by model. */
const HELD = 4 * 2 ** 20

/** Rows in parts of which all probabilities can be held, each in a scope of its own. */
function inParts({ config }: Decoder, rows: number, use: (from: number, part: number) => void): void {
  const size = Math.max(1, Math.floor(HELD / config.vocabSize))
  for (let from = 0; from < rows; from += size) scope(() => use(from, Math.min(size, rows - from)))
}

/**
 * Sums over the R scored tokens of a batch. Exact at each position: it is the positions that are sampled.
 * @param other runs what it is given under the other model
 */
export function divergence(
  model: Decoder,
  batch: PackedBatch,
  other?: <T>(use: (model: Decoder) => T) => T,
): Divergence {
  return noGrad(() =>
    scope(() => {
      const rows = batch.rows.length
      const own = hiddenOf(model, batch)
      const theirs = other?.((m) => hiddenOf(m, batch))
      const found = { entropy: 0, kl: 0, tokens: rows }
      inParts(model, rows, (from, part) => {
        const p = logProbs(model, ops.narrow(own, 0, from, part))
        const weights = ops.exp(p)
        found.entropy -= ops.sum(ops.mul(weights, p)).item()
        if (!other || !theirs) return
        const q = other((m) => logProbs(m, ops.narrow(theirs, 0, from, part)))
        found.kl += ops.sum(ops.mul(weights, ops.sub(p, q))).item()
      })
      if (!Number.isFinite(found.entropy + found.kl)) throw notFinite('they can not be compared')
      return found
    }),
  )
}

export interface Agreement {
  tokens: number
  /** Mean size of the difference of a token's log-probabilities, nats. */
  difference: number
  /** Share of tokens at which both have the same first choice. */
  same: number
}

/** How far two models of one vocabulary are from each other at the scored tokens of batches. */
export function agreement(model: Decoder, other: Decoder, batches: readonly PackedBatch[]): Agreement {
  const found = { tokens: 0, difference: 0, same: 0 }
  const both = [model, other]
  for (const batch of batches) {
    noGrad(() =>
      scope(() => {
        const rows = batch.rows.length
        const hidden = both.map((m) => hiddenOf(m, batch))
        const targets = ops.unsqueeze(i64(batch.targets), 1)
        inParts(model, rows, (from, part) => {
          const [p, q] = both.map((m, i) => logProbs(m, ops.narrow(hidden[i], 0, from, part)))
          const wanted = ops.narrow(targets, 0, from, part)
          const [a, b] = [ops.gather(p, 1, wanted), ops.gather(q, 1, wanted)]
          found.difference += ops.sum(ops.abs(ops.sub(a, b))).item()
          found.same += ops.sum(ops.eq(ops.argmax(p, 1), ops.argmax(q, 1))).item()
        })
        found.tokens += rows
      }),
    )
  }
  if (!Number.isFinite(found.difference)) throw notFinite('they can not be compared')
  const tokens = Math.max(1, found.tokens)
  return { tokens: found.tokens, difference: found.difference / tokens, same: found.same / tokens }
}

/** Hidden states that predict the scored tokens, [R, D]. */
const hiddenOf = (model: Decoder, batch: PackedBatch): Tensor =>
  ops.indexSelect(decode(model, streamOf(batch)), 0, i64(batch.rows))

const logProbs = (model: Decoder, hidden: Tensor): Tensor =>
  ops.logSoftmax(ops.to(logits(model, hidden), 'f32'), 1)
