/** `load_in_8bit` in a pipeline: which models it is for, and what it saves. */
import type { Options } from '../config/options.js'
import { usageError } from '../errors.js'
import { isAdapterFolder } from '../models/adapter-load.js'
import type { Decoder } from '../models/decoder.js'
import { type EightBit, weightBytes, wideBytes } from '../models/eight-bit.js'
import { bytes, count } from '../terminal/units.js'
import type { Session } from './session.js'

/** What is in 8 bits of a language model: `all` where it is only used, `blocks` where it is the base of a training. */
export const eightBitOf = ({ loadIn8bit }: Options, which: EightBit): EightBit | undefined =>
  loadIn8bit ? which : undefined

/** The key is for the language model; for the reward model only where that is the only one. */
export const eightBitReward = ({ loadIn8bit, modelNameOrPath }: Options): boolean =>
  loadIn8bit && modelNameOrPath === undefined

/**
 * Weights in 8 bits stay as they are: what is trained is an adapter on them.
 * @param folder of the start model
 * @throws ClhaError (exit 2) where all weights would be trained
 */
export function requireAdapterOn8bit({ options }: Session, folder?: string): void {
  const { loadIn8bit, usePeft, adapterNameOrPath } = options
  if (!loadIn8bit || usePeft || adapterNameOrPath !== undefined) return
  if (folder !== undefined && isAdapterFolder(folder)) return
  throw usageError(
    'load_in_8bit: all weights would be trained, and those in 8 bits stay as they are',
    'train an adapter on them (use_peft: true), or remove load_in_8bit',
  )
}

export function sayEightBit({ ui, options }: Session, model: Decoder): void {
  if (model.scales.size === 0) return
  const [now, before] = [weightBytes(model), wideBytes(model)]
  ui.line(
    `8 bits   ${count(model.scales.size)} matrices · the model takes ${bytes(now)}, in ${options.dtype} ${bytes(before)}`,
  )
}
