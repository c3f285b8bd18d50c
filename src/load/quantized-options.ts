/** `load_in_8bit` and `load_in_4bit` in a pipeline: which models they are for, and what they save. */
import type { Options } from '../config/options.js'
import { usageError } from '../errors.js'
import { isAdapterFolder } from '../models/adapters/adapter-load.js'
import type { Decoder } from '../models/decoder/decoder.js'
import { type Bits, bitsOf, type Quantized, weightBytes, wideBytes } from '../models/decoder/quantized.js'
import type { Session } from '../session/session.js'
import { bytes, count } from '../show/units.js'

type BitsKeys = Pick<Options, 'loadIn8bit' | 'loadIn4bit'>

export const bitsAsked = ({ loadIn8bit, loadIn4bit }: BitsKeys): Bits | undefined =>
  loadIn4bit ? 4 : loadIn8bit ? 8 : undefined

/** What is narrow of a language model: `all` where it is only used, `blocks` where it is the base of a training. */
export function quantizedOf(options: BitsKeys, which: Quantized['which']): Quantized | undefined {
  const bits = bitsAsked(options)
  return bits && { bits, which }
}

/** The keys are for the language model; for the reward model only where that is the only one. */
export const quantizedReward = (options: BitsKeys & Pick<Options, 'modelNameOrPath'>): Bits | undefined =>
  options.modelNameOrPath === undefined ? bitsAsked(options) : undefined

/**
 * Weights in 8 or 4 bits stay as they are: what is trained is an adapter on them.
 * @param folder of the start model
 * @throws ClhaError (exit 2) where all weights would be trained
 */
export function requireAdapterOnQuantized({ options }: Session, folder?: string): void {
  const { usePeft, adapterNameOrPath } = options
  const bits = bitsAsked(options)
  if (!bits || usePeft || adapterNameOrPath !== undefined) return
  if (folder !== undefined && isAdapterFolder(folder)) return
  throw usageError(
    `load_in_${bits}bit: all weights would be trained, and those in ${bits} bits stay as they are`,
    `train an adapter on them (use_peft: true), or remove load_in_${bits}bit`,
  )
}

export function sayQuantized({ ui, options }: Session, model: Decoder): void {
  const bits = bitsOf(model)
  if (!bits) return
  const [now, before] = [weightBytes(model), wideBytes(model)]
  ui.line(
    `${bits} bits   ${count(model.scales.size)} matrices · the model takes ${bytes(now)}, in ${options.dtype} ${bytes(before)}`,
  )
}
