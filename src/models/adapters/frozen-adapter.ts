/** The adapter of a start model, kept while the model's own goes on training: the start stands on the same base. */
import { keep, noGrad, ops, scope, type Tensor } from '../../tensor/index.js'
import type { Decoder } from '../decoder/decoder.js'
import { placeAdapter } from './adapter.js'
import { same } from './adapter-files.js'

/** Runs what it is given with the adapter as it was. */
export type WithFrozen = <T>(use: () => T) => T

/**
 * A copy of the low-rank maps, and of those modules trained whole that are no longer the base's. It is freed with the model.
 * @throws Error for a model without an adapter
 */
export function frozenAdapter(model: Decoder): WithFrozen {
  const { adapter } = model
  if (!adapter) throw new Error('the model has no adapter to freeze')
  const owned: Tensor[] = []
  const copy = (tensor: Tensor) => {
    const made = keep(noGrad(() => scope(() => ops.clone(tensor))))
    owned.push(made)
    return made
  }
  const maps = Array.from(adapter.maps.values(), (lora) => ({ lora, a: copy(lora.a), b: copy(lora.b) }))
  const saved = Array.from(adapter.saved.values(), (both) => ({
    both,
    copy: same(both.copy, both.base) ? both.base : copy(both.copy),
  }))
  const swap = () => {
    for (const kept of maps) {
      const { a, b } = kept.lora
      Object.assign(kept.lora, { a: kept.a, b: kept.b })
      Object.assign(kept, { a, b })
    }
    for (const kept of saved) {
      const { copy: other } = kept.both
      kept.both.copy = kept.copy
      kept.copy = other
    }
    placeAdapter(model, 'copy')
  }
  const dispose = model.dispose
  model.dispose = () => {
    dispose()
    for (const tensor of owned) tensor.dispose()
  }
  return (use) => {
    swap()
    try {
      return use()
    } finally {
      swap()
    }
  }
}
