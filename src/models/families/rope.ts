/** The rotary settings of config.json in both spellings: `rope_parameters` (transformers 5), and `rope_theta` with `rope_scaling`. */
import { usageError } from '../../errors.js'
import type { RotaryConfig } from '../../nn/rotary.js'
import type { ConfigReader } from '../folders/config-reader.js'

/** How a family spells the older keys, and what holds where they are absent. */
export interface RopeKeys {
  theta?: string
  defaultTheta?: number
  /** Key of the share of a head that is rotated; unset: all of it. */
  partial?: string
  defaultPartial?: number
}

/** @throws ClhaError (exit 2) for a rope type that is not computed */
export function ropeOf(read: ConfigReader, headDim: number, keys: RopeKeys = {}): RotaryConfig {
  const outer = read.positive(keys.theta ?? 'rope_theta', keys.defaultTheta ?? 10000)
  const share = keys.partial ? read.positive(keys.partial, keys.defaultPartial ?? 1) : 1
  const older = read.mapping('rope_scaling')
  return ropeFrom(read.mapping('rope_parameters') ?? older, headDim, outer, share)
}

/** @param from one mapping of rotary settings; what it lacks is `theta` and `share` */
export function ropeFrom(
  from: ConfigReader | undefined,
  headDim: number,
  theta: number,
  share = 1,
): RotaryConfig {
  const dimensions = Math.trunc(headDim * (from?.positive('partial_rotary_factor', share) ?? share))
  if (dimensions % 2 !== 0 || dimensions < 2 || dimensions > headDim)
    throw usageError(
      `${from?.where ?? 'config.json'}: ${dimensions} of ${headDim} dimensions cannot be rotated`,
      'head_dim (else hidden_size / num_attention_heads) times the rotated share has to be an even number',
    )
  const rope = { theta: from?.positive('rope_theta', theta) ?? theta, dimensions }
  if (!from) return rope
  const older = from.choice('type', TYPES, 'default')
  const type = from.choice('rope_type', TYPES, older)
  if (type === 'default') return rope
  const factor = from.positive('factor')
  if (type === 'linear') return { ...rope, scaling: { type, factor } }
  const scaling = {
    type: 'llama3' as const,
    factor,
    lowFreqFactor: from.positive('low_freq_factor'),
    highFreqFactor: from.positive('high_freq_factor'),
    originalMaxPositions: from.size('original_max_position_embeddings'),
  }
  if (scaling.highFreqFactor <= scaling.lowFreqFactor)
    throw from.wrong('high_freq_factor', `above "low_freq_factor", which is ${scaling.lowFreqFactor}`)
  return { ...rope, scaling }
}

const TYPES = { default: 'default', linear: 'linear', llama3: 'llama3' } as const
