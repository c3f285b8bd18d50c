/** Rotary position embedding: frequencies (plain, linear and Llama-3 scaled) and the tables of cosines and sines. */

import type { DType } from '../tensor/index.js'
import { fromData, keep, ops, type Tensor } from '../tensor/index.js'

/** `rope_type: llama3`: long wavelengths are slowed down by `factor`, short ones kept, the band between blended. */
export interface Llama3Scaling {
  type: 'llama3'
  factor: number
  lowFreqFactor: number
  highFreqFactor: number
  originalMaxPositions: number
}

/** `rope_type: linear`: all positions are divided by `factor`. */
export interface LinearScaling {
  type: 'linear'
  factor: number
}

export interface RotaryConfig {
  theta: number
  /** Rotated dimensions of a head. */
  dimensions: number
  scaling?: Llama3Scaling | LinearScaling
}

/** Angles per position, [dimensions / 2]. */
export function inverseFrequencies({ theta, dimensions, scaling }: RotaryConfig): number[] {
  const plain = Array.from({ length: dimensions / 2 }, (_, i) => theta ** (-(2 * i) / dimensions))
  if (!scaling) return plain
  if (scaling.type === 'linear') return plain.map((frequency) => frequency / scaling.factor)
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling
  return plain.map((frequency) => {
    const turns = (originalMaxPositions * frequency) / (2 * Math.PI)
    if (turns > highFreqFactor) return frequency
    if (turns < lowFreqFactor) return frequency / factor
    const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)
    return (1 - smooth) * (frequency / factor) + smooth * frequency
  })
}

/** Tables for positions 0 … n-1, grown when a longer stream comes. Owned: dispose with the model. */
export class RotaryTables {
  private cos?: Tensor
  private sin?: Tensor
  private length = 0

  constructor(
    private readonly config: RotaryConfig,
    private readonly dtype: DType,
  ) {}

  /** cos and sin of the given positions, [T, dimensions / 2]. `reach` is one more than the largest position. */
  at(positions: Tensor, reach: number): { cos: Tensor; sin: Tensor } {
    if (reach > this.length) this.grow(Math.max(reach, 2 * this.length, 64))
    return {
      cos: ops.indexSelect(this.cos as Tensor, 0, positions),
      sin: ops.indexSelect(this.sin as Tensor, 0, positions),
    }
  }

  private grow(length: number): void {
    const frequencies = inverseFrequencies(this.config)
    // Hugging Face computes frequencies and angles in f32 for f32 models; the tables must agree to the last digit.
    const round = this.dtype === 'f64' ? (x: number) => x : Math.fround
    const angles = new Float64Array(length * frequencies.length)
    for (let t = 0, i = 0; t < length; t++) for (const f of frequencies) angles[i++] = round(t * round(f))
    this.dispose()
    const shape = [length, frequencies.length]
    const table = (values: Float64Array) => {
      const wide = fromData(values, shape)
      return keep(this.dtype === 'f64' ? wide : ops.to(wide, this.dtype))
    }
    this.cos = table(angles.map(Math.cos))
    this.sin = table(angles.map(Math.sin))
    this.length = length
  }

  dispose(): void {
    this.cos?.dispose()
    this.sin?.dispose()
    this.length = 0
  }
}
