// The product's own training step on rows of the benchmark's data, with a technique changed where a contender asks for it.
import { otherHeads } from './heads.mjs'
import { unsharedBatch } from './layouts.mjs'
import { configOf } from './models.mjs'
import { product } from './product.mjs'
import { encodedOf } from './rounds.mjs'

const TRAINING = { learningRate: 1e-5, maxGradNorm: 1 }

/** An answer is better than all behind it. */
function itemOf(row, index) {
  const encoded = encodedOf(row, index)
  const n = encoded.answers.length
  const pairs = []
  for (let better = 0; better < n; better++)
    for (let worse = better + 1; worse < n; worse++)
      pairs.push({ better, worse, distance: worse - better, weight: 1 })
  return { encoded, pairs, sft: { index: 0, weight: 1 }, labels: [] }
}

/**
 * @param spec.layout    undefined: the product's own; `unshared`: a prompt for each answer; `padded`: rows as well
 * @param spec.head      undefined: the product's own; see heads.mjs
 * @param spec.microSize lists of a micro-batch; undefined: by tokens, as many as the product's default
 * @param session        of the product: number type, mixed precision, tokens of a micro-batch
 * @returns {Promise<(rows: object[]) => object>} one optimizer step on the rows; its losses, and the FLOPs of its model
 */
export async function createTrainer({ size, layout, head, microSize }, { dtype, options }, vocabulary) {
  const { initModel } = await product('models/decoder/init')
  const { createAdamW, ADAMW_DEFAULTS } = await product('optim/adamw')
  const { packStep } = await product('train/loop/items')
  const { Tally } = await product('train/loop/step-metrics')
  const { clhaObjective } = await product('train/objectives/objective')
  const { workMeter } = await product('train/profile/profile-work')
  const { trainStep } = await product('train/loop/step')
  const { packLists } = await product('data/encode/pack')
  const { requiresGrad } = await product('tensor/index')
  const model = initModel(configOf(size, vocabulary), 0, 'lm', dtype)
  model.bf16 = options.bf16
  for (const weight of model.weights.values()) requiresGrad(weight)
  const optimizer = createAdamW(model.weights, ADAMW_DEFAULTS)
  const plain = clhaObjective({ margin: 1, marginScale: 'constant', sftWeight: 1, sftReduction: 'tokens' })
  const objective = head ? { ...plain, forward: (await otherHeads())[head] } : plain
  const change = { unshared: (b) => unsharedBatch(b), padded: (b) => unsharedBatch(b, 0) }[layout]
  const packing = { maxTokens: options.maxTokensPerBatch, lastToken: false }
  const workOf = workMeter(model)
  return (rows) => {
    const items = rows.map(itemOf)
    const batch = packStep(items, packing)
    if (microSize) batch.micro = bySize(packLists, items, microSize, packing)
    if (change) batch.micro = batch.micro.map(change)
    const losses = trainStep({ model, objective }, batch, optimizer, new Tally(), TRAINING)
    return { ...losses, flops: workOf(batch).flops }
  }
}

/** Micro-batches of a fixed number of lists. */
function bySize(packLists, items, microSize, packing) {
  const out = []
  for (let at = 0; at < items.length; at += microSize) {
    const encoded = items.slice(at, at + microSize).map((item) => item.encoded)
    const [batch] = packLists(encoded, { ...packing, maxTokens: Number.POSITIVE_INFINITY })
    out.push({ ...batch, places: batch.places.map((i) => i + at) })
  }
  return out
}
