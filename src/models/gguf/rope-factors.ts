/** Llama 3's scaled frequencies: one factor for each in GGUF, four settings in config.json. */
import { usageError } from '../../errors.js'
import type { Llama3Scaling } from '../../nn/rotary.js'
import type { HfConfig } from '../folders/config-reader.js'
import { dequantize } from './format/dequantize.js'
import type { GgufFile } from './format/gguf-file.js'

type Settings = Omit<Llama3Scaling, 'type'>

const f = Math.fround

/** Divisors of the frequencies of a head, rounded to float32 at each step, as llama.cpp's converter does it. */
export function llama3Factors(headDim: number, theta: number, scaling: Settings): number[] {
  const { factor, lowFreqFactor: low, highFreqFactor: high, originalMaxPositions: positions } = scaling
  return wavelengths(headDim, theta).map((length) => {
    if (length < positions / high) return 1
    if (length > positions / low) return factor
    const smooth = f(f(f(positions / length) - low) / (high - low))
    return f(1 / f(f(f(1 - smooth) / factor) + smooth))
  })
}

const wavelengths = (headDim: number, theta: number): number[] =>
  Array.from({ length: headDim / 2 }, (_, i) => f(f(2 * Math.PI) / f(1 / f(theta ** f((2 * i) / headDim)))))

/** As in the models that were released with it, but for the length: 8,192 tokens in theirs. */
const usual = (factors: Float32Array): Settings[] =>
  [8192, ...Array.from({ length: 16 }, (_, i) => 2 ** (i + 4))].map((originalMaxPositions) => ({
    factor: largest(factors),
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositions,
  }))

const largest = (factors: Float32Array): number => factors.reduce((a, b) => Math.max(a, b), 1)

const TOLERANCE = 1e-4

/**
 * The settings behind `rope_freqs.weight`. The usual ones are tried; else the two wavelengths between which the factors rise are
 * solved for, and the original length is taken to be that of Llama 3.
 * @throws ClhaError (exit 2) for factors that no settings give
 */
export function llama3Rope(file: GgufFile, headDim: number, theta: number): HfConfig {
  const tensor = file.tensors.get('rope_freqs.weight')
  if (tensor?.shape.join() !== String(headDim / 2))
    throw usageError(`${file.path}: tensor "rope_freqs.weight" must hold ${headDim / 2} numbers`)
  const factors = new Float32Array(headDim / 2)
  dequantize(tensor.type, file.read(tensor), factors)
  const found = [...usual(factors), solved(factors, wavelengths(headDim, theta))].find(
    (settings) =>
      settings &&
      llama3Factors(headDim, theta, settings).every((f, i) => Math.abs(f / factors[i] - 1) < TOLERANCE),
  )
  if (!found)
    throw usageError(
      `${file.path}: tensor "rope_freqs.weight": its factors are not those of rope type "llama3", which alone is computed`,
    )
  return {
    rope_type: 'llama3',
    factor: found.factor,
    low_freq_factor: found.lowFreqFactor,
    high_freq_factor: found.highFreqFactor,
    original_max_position_embeddings: found.originalMaxPositions,
  }
}

/** The smooth part s of each factor is a line over 1 / wavelength: s = (positions / length - low) / (high - low). */
function solved(factors: Float32Array, lengths: readonly number[]): Settings | undefined {
  const factor = largest(factors)
  const between = [...factors].flatMap((f, i) => {
    const smooth = (1 / f - 1 / factor) / (1 - 1 / factor)
    return f > 1 && f < factor ? [{ smooth, inverse: 1 / lengths[i] }] : []
  })
  const [first, last] = [between[0], between.at(-1)]
  if (!first || !last || first === last) return undefined
  const slope = (first.smooth - last.smooth) / (first.inverse - last.inverse)
  const least = first.smooth - slope * first.inverse // -low / (high - low)
  const originalMaxPositions = 8192
  const lowFreqFactor = (-least / slope) * originalMaxPositions
  return {
    factor,
    lowFreqFactor,
    highFreqFactor: originalMaxPositions / slope + lowFreqFactor,
    originalMaxPositions,
  }
}
