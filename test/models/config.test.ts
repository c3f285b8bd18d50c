import { describe, expect, test } from 'vitest'
import { debertaConfig } from '../../src/models/encoder/deberta-config.js'
import { decoderConfig, headOf } from '../../src/models/families/families.js'
import { readHfConfig } from '../../src/models/folders/load-model.js'
import { fixture } from '../fixtures.js'
import { thrown } from '../helpers/folders.js'
import { languageModels, rewardModels } from './recorded.js'

type Config = Record<string, unknown>

const recorded = (name: string): Config => readHfConfig(fixture(`models/${name}`))

function refusal(name: string, change: Config): string {
  const error = thrown(() => {
    const config = { ...recorded(name), ...change }
    decoderConfig(config)
    headOf(config, 'config.json')
  })
  expect(error.exitCode).toBe(2)
  return `${error.message}; ${error.hint}`
}

const rope = (settings: Config) => ({ rope_parameters: { rope_theta: 1e4, ...settings } })

describe('a config that this decoder does not compute is refused by name', () => {
  const cases: [string, string, Config, string][] = [
    ['model_type', 'llama_gqa', { model_type: 'mamba' }, 'model_type "mamba" is not supported'],
    ['a key of every object', 'llama_gqa', { model_type: 'constructor' }, '"constructor" is not supported'],
    ['no model_type', 'llama_gqa', { model_type: undefined }, 'model_type "undefined"'],
    ['activation', 'llama_gqa', { hidden_act: 'quick_gelu' }, '"hidden_act": "quick_gelu" is not supported'],
    ['rope type', 'llama_gqa', rope({ rope_type: 'yarn', factor: 2 }), 'rope_type": "yarn"'],
    [
      'older rope type',
      'llama_gqa',
      { rope_parameters: null, rope_scaling: { type: 'dynamic', factor: 2 } },
      'rope_scaling.type": "dynamic"',
    ],
    ['longrope', 'phi3', rope({ rope_type: 'longrope', long_factor: [1] }), 'rope_type": "longrope"'],
    ['older longrope', 'phi3', { rope_scaling: { type: 'su' }, rope_parameters: null }, 'type": "su"'],
    ['llama3 without factor', 'llama_gqa', rope({ rope_type: 'llama3' }), 'factor" must be a number'],
    ['rope setting', 'llama_gqa', rope({ mrope_section: [1, 1] }), '"rope_parameters.mrope_section"'],
    ['partial rotary', 'phi3', rope({ partial_rotary_factor: 0.4 }), '3 of 8 dimensions cannot be rotated'],
    [
      'partial rotary where there is none',
      'llama_gqa',
      { partial_rotary_factor: 0.5 },
      'partial_rotary_factor',
    ],
    [
      'heads',
      'llama_gqa',
      { num_key_value_heads: 3 },
      '"num_key_value_heads" must be a divisor of "num_attention_heads", which is 4; found 3',
    ],
    ['sizes', 'llama_gqa', { hidden_size: 0 }, '"hidden_size" must be a positive whole number; found 0'],
    ['text for a number', 'llama_gqa', { vocab_size: '128' }, '"vocab_size" must be a number; found "128"'],
    ['flags', 'llama_gqa', { attention_bias: 'yes' }, '"attention_bias" must be true or false'],
    ['tensor parallelism', 'llama_gqa', { pretraining_tp: 2 }, '"pretraining_tp": 2'],
    ['clip_qkv', 'llama_gqa', { clip_qkv: 8 }, '"clip_qkv": 8 is not known for model_type "llama"'],
    ['qk norm', 'llama_gqa', { use_qk_norm: true }, '"use_qk_norm": true is not known'],
    ['attention multiplier', 'llama_gqa', { attention_multiplier: 0.0078 }, '"attention_multiplier"'],
    ['quantised weights', 'llama_gqa', { quantization_config: { bits: 4 } }, '"quantization_config"'],
    ['window of another family', 'llama_gqa', { sliding_window: 5 }, '"sliding_window": 5'],
    ['layer types', 'gemma2', { layer_types: ['full_attention'] }, '"layer_types" must be 2 of'],
    ['a layer type', 'qwen3', { layer_types: Array(3).fill('chunked_attention') }, '"layer_types" must be 3'],
    [
      'both directions',
      'gemma3_text',
      { use_bidirectional_attention: true },
      '"use_bidirectional_attention"',
    ],
    ['both directions in any family', 'llama_gqa', { is_causal: false }, '"is_causal": false is not known'],
    ['cross attention', 'gpt2', { add_cross_attention: true }, '"add_cross_attention": true'],
    ['pooling', 'rm_oasst_last', { pooling: 'max' }, '"pooling": "max" is not supported'],
    ['labels', 'rm_llama', { num_labels: 3 }, 'has 1 label, this one has 3'],
    [
      'class',
      'llama_gqa',
      { architectures: ['LlamaForTokenClassification'] },
      'supported for model_type "llama"',
    ],
    ['pictures', 'gemma3_text', { model_type: 'gemma3' }, 'model_type "gemma3" is not supported'],
  ]
  for (const [what, name, change, message] of cases)
    test(what, () => expect(refusal(name, change)).toContain(message))
})

test('settings that are off, empty or bookkeeping change nothing; dropout is not applied', () => {
  for (const name of [...languageModels, ...rewardModels]) {
    const config = recorded(name)
    const more = {
      use_mrope: false,
      is_causal: true,
      pruned_heads: {},
      unheard_of: null,
      is_llama_config: true,
      unsloth_version: '2025.1',
      attention_dropout: 0.1,
      _attn_implementation: 'sdpa',
      max_length: 20,
    }
    expect(decoderConfig({ ...config, ...more })).toEqual(decoderConfig(config))
  }
})

const OLD = { rope_parameters: null }
const LLAMA3 = {
  rope_type: 'llama3',
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 64,
}

/** Keys of each family's own spelling, with values that no model can have. */
const RANGES: [name: string, key: string, change: Config][] = [
  ...[-1, 0, -0.0, Number.POSITIVE_INFINITY].map((rope_theta): [string, string, Config] => [
    'llama_gqa',
    'rope_theta',
    { ...OLD, rope_theta },
  ]),
  ['llama_gqa', 'rope_parameters.rope_theta', rope({ rope_theta: -1e4 })],
  ['phi3', 'partial_rotary_factor', rope({ partial_rotary_factor: -0.5 })],
  ['gpt_neox_parallel', 'rotary_emb_base', { ...OLD, rotary_emb_base: 0 }],
  ['gpt_neox_parallel', 'rotary_pct', { ...OLD, rotary_pct: 0 }],
  ['gemma3_text', 'rope_local_base_freq', { ...OLD, rope_local_base_freq: -1 }],
  ['gemma3_text', 'rope_theta', { ...OLD, rope_theta: 0 }],
  ['llama_gqa', 'rope_parameters.factor', rope({ rope_type: 'linear', factor: 0 })],
  ['llama_gqa', 'rope_scaling.factor', { ...OLD, rope_scaling: { type: 'linear', factor: -2 } }],
  ['llama_gqa', 'rope_parameters.low_freq_factor', rope({ ...LLAMA3, low_freq_factor: 0 })],
  ['llama_gqa', 'rope_parameters.high_freq_factor', rope({ ...LLAMA3, high_freq_factor: 1 })],
  [
    'llama_gqa',
    'original_max_position_embeddings',
    rope({ ...LLAMA3, original_max_position_embeddings: -8 }),
  ],
  ...['llama_gqa', 'qwen3', 'gemma2', 'mistral_swa', 'phi3'].map((name): [string, string, Config] => [
    name,
    'rms_norm_eps',
    { rms_norm_eps: -1e-6 },
  ]),
  ['gpt_neox_parallel', 'layer_norm_eps', { layer_norm_eps: -1 }],
  ['gpt2', 'layer_norm_epsilon', { layer_norm_epsilon: -1e-5 }],
  ['llama_gqa', 'initializer_range', { initializer_range: -0.02 }],
  ['opt', 'init_std', { init_std: -1 }],
  ...[
    'hidden_size',
    'intermediate_size',
    'num_hidden_layers',
    'num_attention_heads',
    'num_key_value_heads',
    'vocab_size',
    'max_position_embeddings',
    'head_dim',
  ].flatMap((key) =>
    [0, -4, 2.5, 1e300].map((value): [string, string, Config] => ['llama_gqa', key, { [key]: value }]),
  ),
  ['llama_gqa', 'num_hidden_layers', { num_hidden_layers: 1e9 }],
  ['gpt2', 'n_layer', { n_layer: 1e7 }],
  ['gpt2', 'n_inner', { n_inner: -1 }],
  ['gpt2', 'n_head', { n_head: 5 }],
  ['opt', 'num_attention_heads', { num_attention_heads: 3 }],
  ['gpt_neox_parallel', 'num_attention_heads', { num_attention_heads: 3 }],
  ['phi3', 'num_attention_heads', { num_attention_heads: 3 }],
  ['llama_gqa', 'num_key_value_heads', { num_key_value_heads: 8 }],
  ['mistral_swa', 'sliding_window', { sliding_window: -5 }],
  ['mistral_swa', 'sliding_window', { sliding_window: 2.5 }],
  ['qwen2', 'max_window_layers', { max_window_layers: -1 }],
  ['gemma2', 'query_pre_attn_scalar', { query_pre_attn_scalar: 0 }],
  ['gemma2', 'attn_logit_softcapping', { attn_logit_softcapping: -50 }],
  ['gemma2', 'final_logit_softcapping', { final_logit_softcapping: 0 }],
]

test.each(RANGES)('%s: %s out of its range is refused with its value: %j', (name, key, change) => {
  const said = refusal(name, change)
  expect(said).toContain(`${key.split('.').at(-1)}" must be `)
  expect(said).toMatch(/; found \S/)
})

test.each([
  { num_attention_heads: 3 },
  { layer_norm_eps: -1 },
  { position_buckets: -7 },
  { position_buckets: 2.5 },
  { max_relative_positions: -2 },
  { intermediate_size: 0 },
  { num_hidden_layers: 1e9 },
  { attention_head_size: -8 },
])('DeBERTa: %j is refused', (change) => {
  const error = thrown(() => debertaConfig({ ...recorded('rm_deberta_v3'), ...change }))
  expect(error.exitCode).toBe(2)
  expect(error.message).toContain(`"${Object.keys(change)[0]}" must be`)
})

test('what other tools note in config.json changes nothing; other values of such keys are refused', () => {
  const config = recorded('llama_gqa')
  const layers = config.num_hidden_layers as number
  const notes = {
    max_sequence_length: 2048,
    pad_token: '<pad>',
    neftune_noise_alpha: 5,
    kv_cache_dtype: 'auto',
    layer_types: new Array(layers).fill('full_attention'),
    partial_rotary_factor: 1,
    trust_remote_code: true,
    value_head_prefix: 'score',
    loss_type: 'ForCausalLM',
  }
  for (const [key, value] of Object.entries(notes)) {
    expect(decoderConfig({ ...config, [key]: value })).toEqual(decoderConfig(config))
  }
  expect(refusal('llama_gqa', { layer_types: new Array(layers).fill('chunked_attention') })).toContain(
    '"layer_types"',
  )
  expect(refusal('llama_gqa', { partial_rotary_factor: 0.5 })).toContain('"partial_rotary_factor"')
})

test('a number of layers that no model has is refused before anything is made for them', () => {
  expect(refusal('llama_gqa', { num_hidden_layers: 3_000_000 })).toContain('must be at most 4096')
})

const configOf = (name: string, change: Config) => decoderConfig({ ...recorded(name), ...change })
const windows = (name: string, change: Config) => configOf(name, change).layerKinds.map((l) => l.window)

test('sliding windows: which layers, where config.json does not list them', () => {
  const six = { num_hidden_layers: 6, layer_types: null }
  expect(windows('gemma2', six)).toEqual([5, undefined, 5, undefined, 5, undefined])
  expect(windows('gemma3_text', six)).toEqual([5, 5, 5, 5, 5, undefined])
  expect(windows('gemma3_text', { ...six, sliding_window_pattern: 3 })).toEqual([
    5,
    5,
    undefined,
    5,
    5,
    undefined,
  ])
  expect(windows('qwen2', { layer_types: null, sliding_window: 7, max_window_layers: 1 })).toEqual(
    Array(3).fill(undefined),
  )
  const sliding = { layer_types: null, use_sliding_window: true, sliding_window: 7, max_window_layers: 1 }
  expect(windows('qwen2', sliding)).toEqual([undefined, 7, 7])
  expect(windows('mistral_swa', { sliding_window: null })).toEqual([undefined, undefined])
  expect(windows('phi3', { sliding_window: 9 })).toEqual([9, 9])
})

test('rotary settings: the share of a head, linear scaling, the older key beside the newer', () => {
  expect(configOf('phi3', rope({ partial_rotary_factor: 0.75 })).ropes).toEqual([
    { theta: 1e4, dimensions: 6 },
  ])
  expect(configOf('llama_gqa', { rope_parameters: null, rope_theta: 5e5 }).ropes[0].theta).toBe(5e5)
  const linear = { type: 'linear', factor: 8 }
  expect(configOf('gemma3_text', { rope_parameters: null, rope_scaling: linear }).ropes).toEqual([
    { theta: 1e6, dimensions: 8, scaling: linear },
    { theta: 1e4, dimensions: 8 },
  ])
})

test('GPT-2 that scales scores by layer, or not at all', () => {
  const scales = (change: Config) => configOf('gpt2', change).layerKinds.map((l) => l.scale)
  const scale = 8 ** -0.5
  expect(scales({})).toEqual([scale, scale, scale])
  expect(scales({ scale_attn_by_inverse_layer_idx: true })).toEqual([scale, scale / 2, scale / 3])
  expect(scales({ scale_attn_weights: false })).toEqual([1, 1, 1])
})

test('what published configs say a second time is read where it is the same, and refused where it is not', () => {
  const gemma = { sliding_window: 7, sliding_window_size: 7 }
  expect(windows('gemma2', gemma)).toEqual(windows('gemma2', { sliding_window: 7 }))
  expect(refusal('gemma2', { ...gemma, sliding_window_size: 9 })).toContain('"sliding_window_size": 9')
  const pythia = { rope_parameters: null, rotary_pct: 0.5, rotary_emb_base: 500 }
  const twice = { rope_theta: 500, partial_rotary_factor: 0.5 }
  for (const name of ['gpt_neox_parallel', 'rm_oasst_last']) {
    expect(configOf(name, { ...pythia, ...twice })).toEqual(configOf(name, pythia))
    for (const other of [{ rope_theta: 600 }, { partial_rotary_factor: 1 }])
      expect(refusal(name, { ...pythia, ...twice, ...other })).toContain(`"${Object.keys(other)[0]}"`)
  }
})

test('an epsilon that config.json leaves out is that of its family', () => {
  const absent = { rms_norm_eps: null }
  expect(configOf('phi3', absent).norm.eps).toBe(1e-5)
  expect(configOf('llama_gqa', absent).norm.eps).toBe(1e-6)
})

test.each([
  ['llama_gqa', 2048],
  ['mistral_swa', 131_072],
  ['qwen2', 32_768],
  ['qwen3', 32_768],
  ['gemma2', 8192],
  ['gemma3_text', 131_072],
  ['phi3', 4096],
  ['gpt_neox_parallel', 2048],
  ['rm_oasst_last', 2048],
  ['gpt2', 1024],
  ['opt', 2048],
])('%s: a longest context that config.json leaves out is that of its family, %i', (name, positions) => {
  expect(configOf(name, { max_position_embeddings: null, n_positions: null }).maxPositions).toBe(positions)
})
