/** From a Hugging Face config.json to what the decoder needs. A key that changes the mathematics is never ignored. */
import { usageError } from '../errors.js'
import type { Llama3Scaling } from '../nn/rotary.js'

export interface DecoderConfig {
  family: string
  vocabSize: number
  hiddenSize: number
  intermediateSize: number
  layers: number
  heads: number
  kvHeads: number
  headDim: number
  normEps: number
  ropeTheta: number
  ropeScaling?: Llama3Scaling
  tieWordEmbeddings: boolean
  attentionBias: boolean
  mlpBias: boolean
  maxPositions: number
  initializerRange: number
}

/** config.json as it stands. */
export type HfConfig = Record<string, unknown>

/** Keys of config.json, with the type that is expected of each. */
export class ConfigReader {
  constructor(
    readonly config: HfConfig,
    private readonly where: string,
  ) {}

  number(key: string, fallback?: number): number {
    const value = this.config[key] ?? fallback
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.wrong(key, 'a number')
    return value
  }

  /** A positive whole number. */
  size(key: string, fallback?: number): number {
    const value = this.number(key, fallback)
    if (!Number.isInteger(value) || value < 1) throw this.wrong(key, 'a positive whole number')
    return value
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.config[key] ?? fallback
    if (typeof value !== 'boolean') throw this.wrong(key, 'true or false')
    return value
  }

  /** The key must be absent, null or one of the values that this decoder computes. */
  only(key: string, ...allowed: unknown[]): void {
    const value = this.config[key] ?? null
    if (value !== null && !allowed.includes(value)) {
      throw usageError(
        `${this.where}: "${key}": ${JSON.stringify(value)} is not supported`,
        `this decoder computes ${allowed.map((a) => JSON.stringify(a)).join(', ')}`,
      )
    }
  }

  private wrong(key: string, expected: string) {
    return usageError(
      `${this.where}: "${key}" must be ${expected}, found ${JSON.stringify(this.config[key] ?? null)}`,
    )
  }
}

/** Both spellings of the rotary settings: `rope_parameters` (transformers 5) and `rope_theta` + `rope_scaling`. */
export function ropeOf(
  read: ConfigReader,
  where: string,
): { ropeTheta: number; ropeScaling?: Llama3Scaling } {
  const nested = (read.config.rope_parameters ?? {}) as HfConfig
  const ropeTheta = new ConfigReader({ ...read.config, ...nested }, where).number('rope_theta', 10000)
  const scaling = (read.config.rope_parameters ?? read.config.rope_scaling ?? {}) as HfConfig
  const type = scaling.rope_type ?? scaling.type ?? 'default'
  if (type === 'default') return { ropeTheta }
  if (type !== 'llama3')
    throw usageError(`${where}: rope type "${String(type)}" is not supported`, 'supported: default, llama3')
  const s = new ConfigReader(scaling, `${where} (rope)`)
  return {
    ropeTheta,
    ropeScaling: {
      factor: s.number('factor'),
      lowFreqFactor: s.number('low_freq_factor'),
      highFreqFactor: s.number('high_freq_factor'),
      originalMaxPositions: s.number('original_max_position_embeddings'),
    },
  }
}
