/** What a model's GGUF file says of its mathematics, as llama.cpp's converter writes it; what llama.cpp would compute otherwise is refused. */
import { usageError } from '../../errors.js'
import type { DecoderConfig } from '../decoder/decoder-config.js'
import type { HfConfig } from '../folders/config-reader.js'
import type { GgufValue } from './format/gguf-head.js'

export type Entry = readonly [key: string, value: GgufValue]

export const uint = (key: string, value: number): Entry => [key, { type: 'uint32', value }]
export const float = (key: string, value: number): Entry => [key, { type: 'float32', value }]
export const bool = (key: string, value: boolean): Entry => [key, { type: 'bool', value }]
export const text = (key: string, value: string): Entry => [key, { type: 'string', value }]

export interface GgufSettings {
  /** `general.architecture`. */
  architecture: string
  entries: Entry[]
  /** Where llama.cpp computes something else, though not for short texts. */
  warnings: string[]
}

interface Writer {
  architecture: string
  /** Activations that llama.cpp has for it: the family's own alone. */
  activations: readonly string[]
  /** Biases of queries, keys, values and of the output: as the family has them where it is not `any`. */
  attentionBias: 'any' | boolean
  entries(c: DecoderConfig, hf: HfConfig): Entry[]
}

/** @throws ClhaError (exit 2) for a family that llama.cpp lacks, or a setting that it does not compute */
export function settingsForGguf(c: DecoderConfig, hf: HfConfig, where: string): GgufSettings {
  const writer = WRITERS[c.family]
  if (!writer)
    throw usageError(
      `${where}: llama.cpp has no architecture for model_type "${c.family}"`,
      `it can be exported for ${Object.keys(WRITERS).join(', ')}`,
    )
  requireSame(c, writer, where)
  const { architecture } = writer
  const entries = writer.entries(c, hf).map(([key, value]): Entry => [`${architecture}.${key}`, value])
  return { architecture, entries, warnings: windowWarnings(c) }
}

function requireSame(c: DecoderConfig, { activations, attentionBias }: Writer, where: string): void {
  const refuse = (what: string) => {
    throw usageError(`${where}: ${what}`, `llama.cpp computes another thing for model_type "${c.family}"`)
  }
  if (!activations.includes(c.activation)) refuse(`activation "${c.activation}" is not exported`)
  if (attentionBias !== 'any' && c.bias.qkv !== attentionBias)
    refuse(`attention_bias: ${c.bias.qkv} is not exported`)
  const scale = scoreScale(c)
  if (c.layerKinds.some((kind) => Math.abs(kind.scale / scale - 1) > 1e-6))
    refuse('a scale of the attention scores other than that of its heads is not exported')
  const { scaling } = c.ropes[0] ?? {}
  if (scaling?.type === 'llama3' && c.family !== 'llama') refuse('rope type "llama3" is not exported')
  if (c.family === 'gpt_neox' && c.tieWordEmbeddings) refuse('tie_word_embeddings: true is not exported')
  // Where the file has no caps, llama.cpp takes 50 and 30 for Gemma 2; it never caps the scores of Gemma 3.
  const { attentionSoftcap, logitSoftcap } = c
  if (c.family === 'gemma2' && attentionSoftcap === undefined)
    refuse('attn_logit_softcapping: null is not exported')
  if (c.family === 'gemma2' && logitSoftcap === undefined)
    refuse('final_logit_softcapping: null is not exported')
  if (c.family === 'gemma3_text' && attentionSoftcap !== undefined)
    refuse(`attn_logit_softcapping: ${attentionSoftcap} is not exported`)
}

/** Of these many layers the last sees the whole text. */
const PERIODS: Readonly<Record<string, number | undefined>> = { gemma2: 2, gemma3_text: 6 }

/** Gemma's 27 B models, known by their layers, have the width over the heads in place of the width of a head. */
function scoreScale({ family, layers, hiddenSize, heads, headDim }: DecoderConfig): number {
  const wide = (family === 'gemma2' && layers === 46) || (family === 'gemma3_text' && layers === 62)
  return (wide ? hiddenSize / heads : headDim) ** -0.5
}

/** Families whose windows llama.cpp leaves out. */
function windowWarnings(c: DecoderConfig): string[] {
  const window =
    PERIODS[c.family] === undefined ? c.layerKinds.find((kind) => kind.window)?.window : undefined
  if (window === undefined || window >= c.maxPositions) return []
  return [
    `llama.cpp has no sliding window for ${c.family}: texts above ${window} tokens are read otherwise there`,
  ]
}

const common = (c: DecoderConfig): Entry[] => [
  uint('block_count', c.layers),
  uint('context_length', c.maxPositions),
  uint('embedding_length', c.hiddenSize),
  uint('feed_forward_length', c.intermediateSize),
  uint('attention.head_count', c.heads),
]

/** Sizes, rotary base and scaling, and norm of Llama and of most families after it. */
function standard(c: DecoderConfig): Entry[] {
  const { theta } = c.ropes[0]
  return [
    ...common(c),
    uint('attention.head_count_kv', c.kvHeads),
    ...linearScaling(c),
    float('rope.freq_base', theta),
    float('attention.layer_norm_rms_epsilon', c.norm.eps),
  ]
}

function linearScaling({ ropes: [{ scaling }] }: DecoderConfig): Entry[] {
  if (scaling?.type !== 'linear') return []
  return [text('rope.scaling.type', 'linear'), float('rope.scaling.factor', scaling.factor)]
}

const headLengths = ({ headDim }: DecoderConfig): Entry[] => [
  uint('attention.key_length', headDim),
  uint('attention.value_length', headDim),
]

/** The converter leaves these out; llama.cpp then takes the width over the heads. */
const unusualHeads = (c: DecoderConfig): Entry[] =>
  c.headDim === c.hiddenSize / c.heads ? [] : headLengths(c)

const windowOf = ({ layerKinds }: DecoderConfig): number | undefined =>
  layerKinds.find(({ window }) => window !== undefined)?.window

/** What an architecture's converter leaves out, so that llama.cpp takes its default. */
const unless = (usual: number, entry: Entry): Entry[] => (entry[1].value === usual ? [] : [entry])

function gemma(c: DecoderConfig): Entry[] {
  const window = windowOf(c)
  const { attentionSoftcap, logitSoftcap } = c
  const local = c.layerKinds.map(({ window }) => window !== undefined)
  const period = PERIODS[c.family] as number
  // Without a window Gemma 3 sees the whole text everywhere, Gemma 2 has its default one.
  const usual =
    window === undefined
      ? c.family === 'gemma3_text'
      : local.every((is, i) => is === ((i + 1) % period !== 0))
  return [
    ...headLengths(c),
    ...(attentionSoftcap === undefined ? [] : [float('attn_logit_softcapping', attentionSoftcap)]),
    ...(logitSoftcap === undefined ? [] : [float('final_logit_softcapping', logitSoftcap)]),
    ...(window === undefined ? [] : [uint('attention.sliding_window', window)]),
    ...(usual
      ? []
      : [['attention.sliding_window_pattern', { type: 'array', of: 'bool', value: local }] satisfies Entry]),
  ]
}

const llama: Writer = {
  architecture: 'llama',
  activations: ['silu'],
  attentionBias: 'any',
  entries: (c) => [
    ...standard(c),
    ...headLengths(c),
    uint('vocab_size', c.vocabSize),
    uint('rope.dimension_count', c.headDim),
  ],
}

const WRITERS: Readonly<Record<string, Writer | undefined>> = {
  llama,
  mistral: llama,
  qwen2: {
    architecture: 'qwen2',
    activations: ['silu'],
    attentionBias: true,
    entries: (c) => [...standard(c), ...unusualHeads(c)],
  },
  qwen3: {
    architecture: 'qwen3',
    activations: ['silu'],
    attentionBias: false,
    entries: (c) => [...standard(c), ...headLengths(c)],
  },
  gemma2: {
    architecture: 'gemma2',
    activations: ['gelu_tanh'],
    attentionBias: false,
    entries: (c) => [
      ...standard(c).filter(([key]) => key !== 'rope.freq_base'),
      ...unless(10_000, float('rope.freq_base', c.ropes[0].theta)),
      ...gemma(c),
    ],
  },
  gemma3_text: {
    architecture: 'gemma3',
    activations: ['gelu_tanh'],
    attentionBias: false,
    entries: (c) => [...standard(c), float('rope.freq_base_swa', c.ropes[1].theta), ...gemma(c)],
  },
  phi3: {
    architecture: 'phi3',
    activations: ['silu'],
    attentionBias: false,
    entries: (c, hf) => [
      ...standard(c),
      uint('rope.scaling.original_context_length', Number(hf.original_max_position_embeddings ?? 4096)),
      uint('rope.dimension_count', c.ropes[0].dimensions),
      uint('attention.sliding_window', windowOf(c) ?? 0),
    ],
  },
  gpt_neox: {
    architecture: 'gptneox',
    activations: ['gelu', 'gelu_tanh'],
    attentionBias: true,
    entries: (c) => [
      ...common(c),
      ...linearScaling(c),
      ...unless(10_000, float('rope.freq_base', c.ropes[0].theta)),
      uint('rope.dimension_count', c.ropes[0].dimensions),
      bool('use_parallel_residual', c.residual === 'parallel'),
      float('attention.layer_norm_epsilon', c.norm.eps),
    ],
  },
  gpt2: {
    architecture: 'gpt2',
    activations: ['gelu_tanh'],
    attentionBias: true,
    entries: (c) => [...common(c), float('attention.layer_norm_epsilon', c.norm.eps)],
  },
}
