/** A decoder that stands partly on another one's tensors: disposing it leaves those alone. */
import type { Decoder } from './decoder.js'

/** Marks what `model` shares with `lender`, which has to outlive it. */
export function borrowing(model: Decoder, lender: Decoder): Decoder {
  const lent = new Set(lender.weights.values())
  const borrowed = new Set([...model.weights.values()].filter((tensor) => lent.has(tensor)))
  const dispose = model.dispose
  model.borrowed = borrowed
  model.dispose = () => {
    for (const [name, tensor] of model.weights) if (borrowed.has(tensor)) model.weights.delete(name)
    dispose()
  }
  return model
}
