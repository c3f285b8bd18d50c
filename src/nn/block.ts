/** One decoder block on the packed stream. A description says which norms, residual, attention and MLP it has. */
import { type DType, ops, type Tensor } from '../tensor/index.js'
import { type Activation, activate, gated } from './activation.js'
import { attention } from './attention.js'
import { type Block, type BlockShape, rounded, type StreamContext } from './block-shape.js'
import type { LayerCache } from './cache.js'
import { type Gain, norm } from './norm.js'
import { type Projection, project } from './projection.js'

/** hidden [T, D] -> [T, D] */
export function runBlock(
  hidden: Tensor,
  block: Block,
  shape: BlockShape,
  stream: StreamContext,
  cache?: LayerCache,
): Tensor {
  const attend = (x: Tensor) => attention(x, block, shape, stream, cache)
  const feed = (x: Tensor) => mlp(x, block, shape.activation, stream)
  const type: DType | undefined = stream.bf16 ? 'bf16' : undefined
  const half = { shape, type }
  if (shape.residual === 'parallel') {
    const attended = attend(norm(hidden, block.inputNorm, shape.norm, type))
    return ops.add(ops.add(feed(norm(hidden, block.mlpNorm, shape.norm, type)), attended), hidden)
  }
  const middle = addResidual(hidden, attend, half, block.inputNorm, block.afterAttentionNorm)
  return addResidual(middle, feed, half, block.mlpNorm, block.afterMlpNorm)
}

/** One half of a block, [T, D] -> [T, D], with its norm, whose result is of `type`, and its second norm where there is one. */
function addResidual(
  x: Tensor,
  f: (x: Tensor) => Tensor,
  { shape, type }: { shape: BlockShape; type?: DType },
  first: Gain,
  second?: Gain,
): Tensor {
  if (shape.residual === 'post') return norm(ops.add(x, f(x)), first, shape.norm)
  const out = f(norm(x, first, shape.norm, type))
  return ops.add(x, second ? norm(out, second, shape.norm) : out)
}

/** down(act(gate(x)) * up(x)), or down(act(up(x))) without a gate */
function mlp(x: Tensor, block: Block, activation: Activation, stream: StreamContext): Tensor {
  return project(rounded(inner(rounded(x, stream), block, activation), stream), block.down)
}

/** [T, D] -> [T, F] */
function inner(x: Tensor, block: Block, activation: Activation): Tensor {
  if (block.gateUp) {
    const both = project(x, block.gateUp) // [T, 2F]
    const width = both.shape[1] / 2
    const [gate, up] = ops.split(both, [width, width], 1)
    return gated(gate, up, activation)
  }
  const up = project(x, block.up as Projection)
  return block.gate ? gated(project(x, block.gate), up, activation) : activate(up, activation)
}
