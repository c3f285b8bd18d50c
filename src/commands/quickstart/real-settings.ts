/** Settings of the quickstart with a real chat model: what two cores with AVX2 do in five minutes. */

/** A config, as YAML. */
export const REAL_SETTINGS = `
max_length: 256
max_prompt_length: 96
dev_fraction: 0
test_fraction: 0
sft_num_train_epochs: 0
use_peft: true
folds: 2
# Ninety pairs are too few to train a reward model on, and enough for a probe.
reward_probe: true
# A probe speaks in log-odds of the labels; where a quarter of them is reversed, 1 - 2/4 of the log-odds of what is better is left.
reward_temperature: 0.5
learning_rate: 3.0e-4
num_train_epochs: 1
per_device_train_batch_size: 8
gradient_accumulation_steps: 1
max_tokens_per_batch: 2048
max_new_tokens: 80
eval_batch_size: 32
logging_steps: 1
save_total_limit: 1
`

/** Answers of the model to each prompt, and how they are drawn. */
export const SAMPLES = 3
export const TEMPERATURE = 0.7
