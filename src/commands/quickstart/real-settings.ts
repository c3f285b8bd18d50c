/** Settings of the quickstart with a real chat model: what two cores with AVX2 do in twelve minutes. */

/** A config, as YAML. */
export const REAL_SETTINGS = `
max_length: 256
max_prompt_length: 96
dev_fraction: 0
test_fraction: 0
sft_num_train_epochs: 0
use_peft: true
folds: 2
reward_learning_rate: 3.0e-4
reward_num_train_epochs: 3
reward_per_device_train_batch_size: 8
# The unit of reward models that are trained here: they speak in log-odds. So few pairs can't tell it.
reward_temperature: 1
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
