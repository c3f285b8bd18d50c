/**
 * Recomputation of blocks (activation checkpointing; Chen et al., arXiv 1604.06174): the forward keeps the input of each
 * block and nothing else; the backward pass runs a block again, from the last to the first, and walks its graph at once.
 */
import type { Block } from '../../nn/block-shape.js'
import type { Projection } from '../../nn/projection.js'
import {
  backward,
  dispose,
  gradOf,
  native,
  noGrad,
  ops,
  requiresGrad,
  scope,
  setGrad,
  type Tensor,
  withGrad,
} from '../../tensor/index.js'

/** What forwards have left to be computed again, in their order. */
export interface Tape {
  pending: (() => void)[]
}

/** One block: hidden [T, D] -> [T, D]. */
export type RunBlock = (hidden: Tensor, layer: number) => Tensor

/**
 * Runs `fn` so that a model's forwards inside keep the inputs of their blocks only. Gradients come out bit by bit as
 * without.
 * @param on false: they keep everything, as ever
 * @param fn takes the backward pass that goes with it; call it while the forward's tensors live
 */
export function recomputing<T>(
  model: { tape?: Tape },
  on: boolean | undefined,
  fn: (back: (total: Tensor) => void) => T,
): T {
  if (!on) return fn((total) => backward(total))
  const tape: Tape = { pending: [] }
  model.tape = tape
  try {
    return fn((total) => {
      backward(total)
      for (const again of tape.pending.splice(0).reverse()) again()
    })
  } finally {
    model.tape = undefined
  }
}

/** All blocks, hidden [T, D] -> [T, D]; with a tape, and where gradients are recorded, they are left to be computed again. */
export function runBlocks(
  first: Tensor,
  blocks: readonly Block[],
  run: RunBlock,
  tape: Tape | undefined,
): Tensor {
  // What no gradient asks for dies with its block.
  const scoped: RunBlock = (hidden, layer) => scope(() => run(hidden, layer))
  if (!tape || !isRecording()) return blocks.reduce((hidden, _, layer) => scoped(hidden, layer), first)
  const inputs: Tensor[] = []
  let hidden = ops.detach(first)
  noGrad(() => {
    for (let layer = 0; layer < blocks.length; layer++) {
      inputs.push(hidden)
      hidden = scoped(hidden, layer)
    }
  })
  const asked = askedFor(first, blocks)
  const out = requiresGrad(ops.detach(hidden), asked[blocks.length])
  tape.pending.push(() => blocksAgain(first, inputs, out, asked, scoped))
  return out
}

/** Gradients of the blocks' weights, and of what made their first input, from the gradient that reached `out`. */
function blocksAgain(
  first: Tensor,
  inputs: readonly Tensor[],
  out: Tensor,
  asked: readonly boolean[],
  run: RunBlock,
): void {
  let grad = gradOf(out)
  setGrad(out)
  for (let layer = inputs.length - 1; layer >= 0 && grad && asked[layer + 1]; layer--) {
    const seed: Tensor = grad
    grad = scope(() => {
      const input = requiresGrad(ops.detach(inputs[layer]), asked[layer])
      const output = withGrad(() => run(input, layer))
      backward(output, seed)
      return gradOf(input)
    })
    dispose(seed, inputs[layer])
  }
  if (grad && asked[0]) backward(first, grad)
}

/** Whether a gradient is asked for of the input of each block, and of the last one's output: [layers + 1]. */
function askedFor(first: Tensor, blocks: readonly Block[]): boolean[] {
  const asked = [takesGradient(first)]
  for (const block of blocks) asked.push(asked[asked.length - 1] || trains(block))
  return asked
}

const takesGradient = (t: Tensor | undefined): boolean => t !== undefined && native().requiresGrad(t.handle)

function trains(block: Block): boolean {
  const parts = Object.values(block) as Partial<Projection>[]
  return parts.some(({ weight, bias, lora }) => [weight, bias, lora?.a, lora?.b].some(takesGradient))
}

function isRecording(): boolean {
  const before = native().setGradEnabled(true)
  native().setGradEnabled(before)
  return before
}
