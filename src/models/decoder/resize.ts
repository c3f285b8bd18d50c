/** More rows in the embeddings, for a tokenizer with more ids than the model has. */
import { Generator, keep, noGrad, onDevice, ops, scope, type Tensor } from '../../tensor/index.js'
import type { Decoder } from './decoder.js'

/** Variance of a new row around the mean row, as a share of the rows' own variance; transformers' `mean_resizing` has the same. */
const SPREAD = 1e-9

/**
 * Grows the embedding, and the LM head where it has a matrix of its own, to `rows` rows. A new row is the mean of the old ones
 * with a little noise, so that new tokens start likely as the average token and not alike.
 * @throws RangeError for fewer rows than there are
 */
export function resizeEmbeddings(model: Decoder, rows: number, seed: number): void {
  const { config } = model
  if (rows < config.vocabSize)
    throw new RangeError(`${rows} rows are fewer than the ${config.vocabSize} there are`)
  const generator = new Generator(seed)
  const { prefix, embedding, lmHead } = config.names
  for (const name of [`${prefix}${embedding}.weight`, `${lmHead}.weight`]) {
    const old = model.weights.get(name)
    if (!old) continue
    const wider = keep(noGrad(() => scope(() => grown(old, rows, generator))))
    model.weights.set(name, wider)
    if (model.embedding === old) model.embedding = wider
    if (model.output.weight === old) model.output.weight = wider
    old.dispose()
  }
  generator.dispose()
  config.vocabSize = rows
  model.hfConfig = { ...model.hfConfig, vocab_size: rows }
}

/** [V, D] -> [rows, D] */
function grown(old: Tensor, rows: number, generator: Generator): Tensor {
  const [vocabulary, width] = old.shape
  const wide = ops.to(old, old.dtype === 'f64' ? 'f64' : 'f32')
  const mean = ops.mulScalar(ops.sumDim(wide, [0], true), 1 / vocabulary) // [1, D]
  const variance = ops.mulScalar(ops.sumDim(ops.square(ops.sub(wide, mean)), [0], true), 1 / vocabulary)
  const noise = ops.to(onDevice(ops.randn([rows - vocabulary, width], generator, 'f32')), wide.dtype)
  const added = ops.add(mean, ops.mul(noise, ops.mulScalar(ops.sqrt(variance), Math.sqrt(SPREAD))))
  return ops.cat([old, ops.to(added, old.dtype)], 0)
}
