// The models of the benchmark: Llama shapes with random weights, as config.json has them.

const shape = (layers, hidden, intermediate, heads, kvHeads = heads) => ({
  num_hidden_layers: layers,
  hidden_size: hidden,
  intermediate_size: intermediate,
  num_attention_heads: heads,
  num_key_value_heads: kvHeads,
})

/**
 * `quickstart`: that of `npm run quickstart`. S: 17 M parameters with a vocabulary of 49,152. M: the shape of SmolLM2-135M. L: that of Llama-3.2-1B. The others are for the
 * scaling table.
 */
export const SHAPES = {
  quickstart: shape(4, 128, 384, 4),
  XXS: shape(4, 64, 176, 4),
  XS: shape(4, 128, 344, 4),
  S: shape(6, 256, 688, 8),
  L12: shape(12, 512, 1376, 8),
  M: shape(30, 576, 1536, 9, 3),
  L: shape(16, 2048, 8192, 32, 8),
}

export const configOf = (size, vocabulary, maxPositions = 8192) => ({
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  ...SHAPES[size],
  vocab_size: vocabulary,
  max_position_embeddings: maxPositions,
  rope_theta: 100000,
  rms_norm_eps: 1e-5,
  hidden_act: 'silu',
  initializer_range: size === 'M' ? 1 / 24 : 0.02,
  tie_word_embeddings: true,
  bos_token_id: 1,
  eos_token_id: 2,
})
