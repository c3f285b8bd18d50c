/** The architectures of GGUF that are read, and config.json from the keys of each. What a key says is used or refused by name. */
import { usageError } from '../../errors.js'
import type { HfConfig } from '../folders/config-reader.js'
import type { GgufFile } from './format/gguf-file.js'
import type { GgufMetadata } from './format/gguf-metadata.js'
import { llama3Rope } from './rope-factors.js'

/** One architecture's keys under its own prefix, and what else the file says. */
interface Source {
  read: GgufMetadata
  /** `llama` makes `llama.block_count` of `block_count`. */
  key(name: string): string
  file: GgufFile
  has(tensor: string): boolean
}

type Read = (source: Source) => HfConfig

/** @throws ClhaError (exit 2) for an architecture or a setting that is not computed here */
export function configOfGguf(read: GgufMetadata, file: GgufFile): HfConfig {
  const architecture = read.text('general.architecture')
  const make = ARCHITECTURES[architecture]
  if (!make)
    throw usageError(
      `${file.path}: general.architecture "${architecture}" is not read`,
      `read are ${Object.keys(ARCHITECTURES).join(', ')}`,
    )
  const key = (name: string) => `${architecture}.${name}`
  const embedding = file.tensors.get('token_embd.weight')
  if (embedding?.shape.length !== 2) throw usageError(`${file.path}: no tensor "token_embd.weight"`)
  const config = {
    ...make({ read, key, file, has: (tensor) => file.tensors.has(tensor) }),
    vocab_size: embedding.shape[0],
    tie_word_embeddings: !file.tensors.has('output.weight'),
  }
  read.ignore(key('vocab_size')) // the embedding says it
  if (!read.flag(key('attention.causal'), true))
    throw read.wrong(key('attention.causal'), 'true: attention in both directions is not computed')
  read.refuseUnread(`${architecture}.`)
  return config
}

/** Sizes that every architecture has. */
function sizes(
  { read, key }: Source,
  names: Record<'width' | 'inner' | 'layers' | 'heads' | 'positions', string>,
) {
  return {
    [names.width]: read.size(key('embedding_length')),
    [names.inner]: read.size(key('feed_forward_length')),
    [names.layers]: read.size(key('block_count')),
    [names.heads]: read.size(key('attention.head_count')),
    [names.positions]: read.size(key('context_length')),
  }
}

const USUAL = {
  width: 'hidden_size',
  inner: 'intermediate_size',
  layers: 'num_hidden_layers',
  heads: 'num_attention_heads',
  positions: 'max_position_embeddings',
}

/** What Llama and most families after it have. */
function standard(
  source: Source,
): HfConfig & { hidden_size: number; head_dim: number; num_hidden_layers: number } {
  const { read, key } = source
  const heads = read.size(key('attention.head_count'))
  const hidden = read.size(key('embedding_length'))
  const headDim = read.size(key('attention.key_length'), hidden / heads)
  if (read.size(key('attention.value_length'), headDim) !== headDim)
    throw read.wrong(key('attention.value_length'), `${headDim}, as attention.key_length is`)
  return {
    ...sizes(source, USUAL),
    hidden_size: hidden,
    num_hidden_layers: read.size(key('block_count')),
    num_key_value_heads: read.size(key('attention.head_count_kv'), heads),
    head_dim: headDim,
    rms_norm_eps: read.number(key('attention.layer_norm_rms_epsilon')),
  }
}

/** Rotary settings as transformers writes them. @throws ClhaError (exit 2) for yarn and longrope */
function rope({ read, key }: Source, theta: number): HfConfig {
  const base = { rope_type: 'default', rope_theta: read.number(key('rope.freq_base'), theta) }
  const type = read.text(key('rope.scaling.type'), 'linear')
  const older = read.number(key('rope.scale_linear'), 0)
  const factor = read.number(key('rope.scaling.factor'), older)
  read.ignore(key('rope.scaling.original_context_length'), key('rope.scaling.finetuned')) // of yarn
  if (type !== 'none' && type !== 'linear') throw read.wrong(key('rope.scaling.type'), '"none" or "linear"')
  return type === 'none' || factor === 0 || factor === 1 ? base : { ...base, rope_type: 'linear', factor }
}

/** The rotated dimensions of a head, which have to be all of them. */
function requireWholeRotary({ read, key }: Source, headDim: number): void {
  if (read.size(key('rope.dimension_count'), headDim) !== headDim)
    throw read.wrong(key('rope.dimension_count'), `${headDim}, the width of a head`)
}

/** @returns the share of a head that is rotated */
function partialRotary({ read, key }: Source, headDim: number): number {
  const dimensions = read.size(key('rope.dimension_count'), headDim)
  const share = dimensions / headDim
  return Math.trunc(headDim * share) === dimensions ? share : (dimensions + 0.5) / headDim
}

const llama: Read = (source) => {
  const { read, key, has, file } = source
  const base = standard(source)
  requireWholeRotary(source, base.head_dim)
  const scaled = has('rope_freqs.weight')
    ? llama3Rope(file, base.head_dim, read.number(key('rope.freq_base'), 1e4))
    : {}
  return {
    ...base,
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_act: 'silu',
    attention_bias: has('blk.0.attn_output.bias'),
    mlp_bias: has('blk.0.ffn_up.bias'),
    rope_parameters: { ...rope(source, 10_000), ...scaled },
  }
}

const qwen =
  (model_type: 'qwen2' | 'qwen3', architecture: string): Read =>
  (source) => {
    const base = standard(source)
    requireWholeRotary(source, base.head_dim)
    return {
      ...base,
      architectures: [architecture],
      model_type,
      hidden_act: 'silu',
      use_sliding_window: false,
      rope_parameters: rope(source, 10_000),
    }
  }

/** Score scale of Gemma: that of a head, but in its 27 B models that of the width over the heads. */
const scalar = (
  { head_dim, num_hidden_layers, ...config }: ReturnType<typeof standard>,
  largest: number,
): number =>
  num_hidden_layers === largest ? config.hidden_size / (config.num_attention_heads as number) : head_dim

/** Which layers see a window only: by the file's pattern, else all but the last of each `period`; none without a window. */
function layerTypes({ read, key, file }: Source, layers: number, period: number): string[] {
  const name = key('attention.sliding_window_pattern')
  const listed = file.metadata.get(name)?.type === 'array'
  const pattern = listed ? read.flags(name) : undefined
  const every = listed ? period : read.size(name, period)
  if (pattern && pattern.length !== layers) throw read.wrong(name, `a list of ${layers}`)
  const local = (i: number) => pattern?.[i] ?? (i + 1) % every !== 0
  return Array.from({ length: layers }, (_, i) => (local(i) ? 'sliding_attention' : 'full_attention'))
}

function gemmaBase(source: Source): ReturnType<typeof standard> {
  const base = standard(source)
  requireWholeRotary(source, base.head_dim)
  return { ...base, hidden_activation: 'gelu_pytorch_tanh' }
}

const gemma2: Read = (source) => {
  const { read, key } = source
  const base = gemmaBase(source)
  return {
    ...base,
    architectures: ['Gemma2ForCausalLM'],
    model_type: 'gemma2',
    query_pre_attn_scalar: scalar(base, 46),
    sliding_window: read.size(key('attention.sliding_window'), 4096),
    layer_types: layerTypes(source, base.num_hidden_layers, 2),
    attn_logit_softcapping: read.number(key('attn_logit_softcapping'), 50),
    final_logit_softcapping: read.number(key('final_logit_softcapping'), 30),
    rope_parameters: oneRope(source),
  }
}

/** Gemma 2 has one rotary base, though its files may say it of local layers too. */
function oneRope(source: Source): HfConfig {
  const { read, key } = source
  const found = rope(source, 10_000)
  const local = read.number(key('rope.freq_base_swa'), found.rope_theta as number)
  if (local !== found.rope_theta)
    throw read.wrong(key('rope.freq_base_swa'), `${String(found.rope_theta)}, as rope.freq_base is`)
  return found
}

const gemma3: Read = (source) => {
  const { read, key } = source
  const base = gemmaBase(source)
  const cap = read.number(key('final_logit_softcapping'), 0)
  const window = read.number(key('attention.sliding_window'), 0)
  return {
    ...base,
    architectures: ['Gemma3ForCausalLM'],
    model_type: 'gemma3_text',
    query_pre_attn_scalar: scalar(base, 62),
    sliding_window: window === 0 ? null : window,
    layer_types: layerTypes(source, base.num_hidden_layers, window === 0 ? 1 : 6),
    final_logit_softcapping: cap === 0 ? null : cap,
    rope_parameters: {
      full_attention: rope(source, 1e6),
      sliding_attention: { rope_type: 'default', rope_theta: read.number(key('rope.freq_base_swa'), 10_000) },
    },
  }
}

const phi3: Read = (source) => {
  const { read, key, file } = source
  const base = standard(source)
  const long = [...file.tensors.keys()].find((name) => name.startsWith('rope_factors_'))
  if (long !== undefined)
    throw usageError(`${file.path}: tensor "${long}": rope type "longrope" is not computed here`)
  const window = read.number(key('attention.sliding_window'), 0)
  return {
    ...base,
    architectures: ['Phi3ForCausalLM'],
    model_type: 'phi3',
    hidden_act: 'silu',
    sliding_window: window === 0 ? null : window,
    rope_parameters: { ...rope(source, 10_000), partial_rotary_factor: partialRotary(source, base.head_dim) },
  }
}

const gptNeoX: Read = (source) => {
  const { read, key } = source
  const base = sizes(source, USUAL)
  return {
    ...base,
    architectures: ['GPTNeoXForCausalLM'],
    model_type: 'gpt_neox',
    hidden_act: 'gelu',
    attention_bias: source.has('blk.0.attn_qkv.bias'),
    layer_norm_eps: read.number(key('attention.layer_norm_epsilon')),
    use_parallel_residual: read.flag(key('use_parallel_residual'), true),
    rope_parameters: {
      ...rope(source, 10_000),
      partial_rotary_factor: partialRotary(source, base.hidden_size / base.num_attention_heads),
    },
  }
}

const gpt2: Read = (source) => ({
  ...sizes(source, {
    width: 'n_embd',
    inner: 'n_inner',
    layers: 'n_layer',
    heads: 'n_head',
    positions: 'n_positions',
  }),
  architectures: ['GPT2LMHeadModel'],
  model_type: 'gpt2',
  activation_function: 'gelu_new',
  layer_norm_epsilon: source.read.number(source.key('attention.layer_norm_epsilon')),
})

const ARCHITECTURES: Readonly<Record<string, Read | undefined>> = {
  llama,
  qwen2: qwen('qwen2', 'Qwen2ForCausalLM'),
  qwen3: qwen('qwen3', 'Qwen3ForCausalLM'),
  gemma2,
  gemma3,
  phi3,
  gptneox: gptNeoX,
  gpt2,
}
