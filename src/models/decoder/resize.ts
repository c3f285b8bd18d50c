/** Another number of rows in the embeddings: more for a tokenizer with more ids than the model has, or those of an adapter. */
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
  replaceRows(model, rows, (old) => grown(old, rows, generator))
  generator.dispose()
}

/** Leaves the first rows of embedding and head: what an adapter was trained on may have had fewer than its base. */
export const cutEmbeddings = (model: Decoder, rows: number): void =>
  replaceRows(model, rows, (old) => ops.clone(ops.narrow(old, 0, 0, rows)))

function replaceRows(model: Decoder, rows: number, make: (old: Tensor) => Tensor): void {
  const { config } = model
  const { prefix, embedding, lmHead } = config.names
  for (const name of [`${prefix}${embedding}.weight`, `${lmHead}.weight`]) {
    const old = model.weights.get(name)
    if (!old) continue
    const other = keep(noGrad(() => scope(() => make(old))))
    model.weights.set(name, other)
    if (model.embedding === old) model.embedding = other
    if (model.output.weight === old) model.output.weight = other
    if (!model.borrowed?.has(old)) old.dispose()
  }
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
