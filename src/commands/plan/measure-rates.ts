/** How fast this machine trains a model: one block, the LM head and the update of its sizes, measured for a few seconds. */

import type { Options, SectionOptions } from '../../config/options.js'
import { loraOptions } from '../../load/trainable.js'
import { attachAdapter, trainableWeights, withDropout } from '../../models/adapters/adapter.js'
import { type Decoder, decode, targetLogProbs } from '../../models/decoder/decoder.js'
import { initModel } from '../../models/decoder/init.js'
import { recomputing } from '../../models/decoder/recompute.js'
import { KEPT_PROBABILITIES } from '../../models/decoder/score.js'
import { packedStream } from '../../nn/layout.js'
import { createOptimizer } from '../../optim/optimizer.js'
import type { Rates } from '../../plan/devices.js'
import { trainWork } from '../../plan/flops.js'
import { modelShape } from '../../plan/shape.js'
import type { Size } from '../../plan/tokens.js'
import type { Needs } from '../../session/needs.js'
import { backward, fromData, i64, ops, requiresGrad, scope, setGrad } from '../../tensor/index.js'

/** Seconds that each of the measurements takes. */
const SECONDS = { blocks: 3, head: 1.5, update: 0.5 }

type Measuring = Needs<SectionOptions<'model' | 'lora'> & Pick<Options, 'bf16'>>

export interface Measured extends Rates {
  /** FLOP/s of the blocks. */
  rate: number
}

/**
 * Random weights of the model's sizes with a single block; it has the memory of one block, the embedding and the head.
 * @param typical   a micro-batch as there will be many
 * @param recompute as in the training: what a forward alone costs most, such as dropout, then counts twice
 */
export function measureRates(
  session: Measuring,
  model: Decoder,
  typical: Size,
  recompute: boolean,
): Measured {
  const small = oneBlock(session, model)
  const trained = trainableWeights(small)
  for (const weight of trained.values()) requiresGrad(weight)
  try {
    const blocks = blockRate(small, typical, recompute)
    const head = model.head === 'reward' ? blocks : headRate(small, typical)
    return { block: blocks, head, update: updateRate(small), rate: 1 / blocks }
  } finally {
    small.dispose()
  }
}

/** config.json of the same model with one layer; settings by layer keep the first. */
function oneBlock(session: Measuring, { hfConfig, head, dtype, adapter }: Decoder): Decoder {
  const one = Object.fromEntries(
    Object.entries(hfConfig).map(([key, value]) => {
      if (['num_hidden_layers', 'n_layer'].includes(key)) return [key, 1]
      return [key, key === 'layer_types' && Array.isArray(value) ? value.slice(0, 1) : value]
    }),
  )
  const small = initModel(one, 1, head, dtype)
  small.bf16 = session.options.bf16
  if (adapter) attachAdapter(small, { ...loraOptions(session), modulesToSave: [] }, 1)
  return small
}

/** Runs `fn` until the time is over, at least three times after a first try. @returns the median of its seconds */
function median(limit: number, fn: () => void): number {
  const times: number[] = []
  const started = performance.now()
  fn()
  while (times.length < 3 || (performance.now() - started < limit * 1000 && times.length < 200)) {
    const from = performance.now()
    fn()
    times.push((performance.now() - from) / 1000)
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]
}

/** Rows that take a fifth of a second at 50 GFLOP/s; products are as fast as with more. */
const rowsFor = (numbers: number, rows: number): number =>
  Math.max(1, Math.min(Math.round(rows), Math.max(128, Math.floor(1e10 / (6 * numbers)))))

/** Seconds for a FLOP of a block, forward and backward, over the token embeddings. */
function blockRate(small: Decoder, typical: Size, recompute: boolean): number {
  const shape = modelShape(small)
  const length = rowsFor(shape.blockMatrices, Math.min(typical.tokens, 4096))
  const segment = Math.max(1, Math.min(length, small.config.maxPositions, 256))
  const size = { tokens: length, scored: 0, keys: (length * segment) / 2 }
  const ids = Int32Array.from({ length }, (_, i) => (i * 7919) % small.config.vocabSize)
  const positions = Int32Array.from({ length }, (_, i) => i % segment)
  const starts = Array.from({ length: Math.ceil(length / segment) }, (_, i) => i * segment)
  const segments = starts.map((q0, task) => {
    const q1 = Math.min(length, q0 + segment)
    return { q0, q1, c0: q0, c1: q0, k0: q0, k1: q1, task }
  })
  // The embedding is looked up, not trained: its gradient is as large as the vocabulary, and no part of a block.
  requiresGrad(small.embedding, false)
  const seconds = median(SECONDS.blocks, () =>
    scope(() => {
      withDropout(small, 'measured', () =>
        recomputing(small, recompute, (back) =>
          back(ops.sum(decode(small, packedStream(ids, positions, segments)))),
        ),
      )
      for (const weight of trainableWeights(small).values()) setGrad(weight)
    }),
  )
  const isTrained = [...trainableWeights(small).values()].includes(small.embedding)
  if (isTrained) requiresGrad(small.embedding)
  return seconds / trainWork(shape, size, recompute).blocks
}

/** Seconds for a FLOP of the LM head and its softmax. */
function headRate(small: Decoder, typical: Size): number {
  const shape = modelShape(small)
  const rows = rowsFor(shape.outputNumbers, Math.max(1, typical.scored))
  const { weight } = small.output
  const width = weight.shape[1]
  const values = Float32Array.from({ length: rows * width }, (_, i) => ((i * 31) % 17) / 17 - 0.5)
  const seconds = median(SECONDS.head, () =>
    scope(() => {
      const hidden = requiresGrad(ops.to(fromData(values, [rows, width]), small.dtype))
      const targets = i64(Array.from({ length: rows }, (_, i) => (i * 7919) % weight.shape[0]))
      backward(ops.sum(targetLogProbs(small, hidden, targets, KEPT_PROBABILITIES)[0]))
      setGrad(weight)
    }),
  )
  return seconds / trainWork(shape, { tokens: 0, scored: rows, keys: 0 }, false).head
}

/** Seconds for a number that AdamW updates. */
function updateRate(small: Decoder): number {
  const trained = trainableWeights(small)
  const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, decayOn: 'matrices' } as const
  const optimizer = createOptimizer(trained, { name: 'adamw', ...options })
  let numbers = 0
  for (const weight of trained.values()) {
    numbers += weight.shape.reduce((a, b) => a * b, 1)
    scope(() => setGrad(weight, ops.zerosLike(weight)))
  }
  const seconds = median(SECONDS.update, () => optimizer.step(0))
  optimizer.clearGradients()
  optimizer.dispose()
  return seconds / numbers
}
