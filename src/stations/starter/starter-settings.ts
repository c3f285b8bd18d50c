/** Settings that suit the starter world: what a two-core machine does in minutes. */

/** A config, as YAML. */
export const QUICKSTART_SETTINGS = `
model_config:
  hidden_size: 128
  intermediate_size: 384
  num_hidden_layers: 4
  num_attention_heads: 4
  max_position_embeddings: 256
max_length: 192
max_prompt_length: 128
dev_fraction: 0
test_fraction: 0
sft_learning_rate: 2.0e-3
sft_num_train_epochs: 5
reward_learning_rate: 5.0e-4
reward_num_train_epochs: 2
reward_per_device_train_batch_size: 32
learning_rate: 3.0e-4
num_train_epochs: 2
per_device_train_batch_size: 32
gradient_accumulation_steps: 1
max_tokens_per_batch: 4096
max_new_tokens: 48
eval_batch_size: 64
logging_steps: 5
`
