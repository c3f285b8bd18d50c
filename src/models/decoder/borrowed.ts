/** A decoder that stands partly on another one's tensors: disposing it leaves those alone. */
import type { Decoder } from './decoder.js'

/** Marks what `model` shares with `lender`, which has to outlive it. */
export function borrowing(model: Decoder, lender: Decoder): Decoder {
  const lent = new Set([...lender.weights.values(), ...lender.scales.values()])
  const borrowed = new Set(
    [...model.weights.values(), ...model.scales.values()].filter((tensor) => lent.has(tensor)),
  )
  const dispose = model.dispose
  model.borrowed = borrowed
  model.dispose = () => {
    for (const own of [model.weights, model.scales])
      for (const [name, tensor] of own) if (borrowed.has(tensor)) own.delete(name)
    dispose()
  }
  return model
}
