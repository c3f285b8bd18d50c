/** An experiment whose cells train in seconds. */
export const TEXT = `
title: A small one
baseline: dpo
seeds: [1]
world: {train_pairs: 480, test_prompts: 12, demonstrations: 100}
noise: [0.25]
augmented: [0, 1]
results: unused.jsonl
base:
  model_config: {hidden_size: 16, intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 256}
  sft_num_train_epochs: 1
  reward_num_train_epochs: 1
  num_train_epochs: 0.1
  per_device_train_batch_size: 8
  max_new_tokens: 8
few_pairs: [clha]
variants:
  start: {}
  dpo: {method: dpo}
  clha: {method: clha}
`
