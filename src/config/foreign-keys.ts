/** Keys that people bring from TRL, LLaMA-Factory and Axolotl, and what stands for them here. */

const FOREIGN: Record<string, string> = {
  base_model: 'model_name_or_path',
  batch_size: 'per_device_train_batch_size',
  micro_batch_size: 'per_device_train_batch_size',
  block_size: 'max_length',
  chat_template_path: 'chat_template',
  cutoff_len: 'max_length',
  sequence_len: 'max_length',
  max_seq_length: 'max_length',
  dataset_name: 'train_dataset',
  dataset: 'train_dataset',
  datasets: 'train_dataset',
  eval_sample_size: 'eval_prompts',
  gradient_clipping: 'max_grad_norm',
  adapter: 'use_peft',
  adapter_path: 'adapter_name_or_path',
  lora_model_dir: 'adapter_name_or_path',
  lora_modules_to_save: 'modules_to_save',
  additional_target: 'modules_to_save',
  lora_rank: 'lora_r',
  lora_target: 'lora_target_modules',
  lora_target_linear: 'lora_target_modules: all-linear',
  lr: 'learning_rate',
  lr_scheduler: 'lr_scheduler_type',
  num_epochs: 'num_train_epochs',
  epochs: 'num_train_epochs',
  per_device_eval_batch_size: 'eval_batch_size',
  torch_dtype: 'dtype',
  val_set_size: 'dev_fraction',
  val_size: 'dev_fraction',
}

/** The key that stands for one of another tool, with its value where that is fixed. `config import` goes by it too. */
export function foreignName(key: string): { key: string; value?: string } | undefined {
  if (!Object.hasOwn(FOREIGN, key)) return undefined
  const [name, value] = FOREIGN[key].split(': ')
  return value === undefined ? { key: name } : { key: name, value }
}

/** Advice for a key of another tool, or undefined. */
export function foreignAdvice(key: string): string | undefined {
  if (Object.hasOwn(FOREIGN, key)) return `Use ${FOREIGN[key]}`
  if (/^(qlora|bnb_4bit_|load_in_)/.test(key)) return 'Use load_in_4bit (NF4) or load_in_8bit'
  if (/^(use_dora|lora_)/.test(key)) return 'clha trains plain LoRA (use_peft); remove it'
  if (/^(push_to_hub|hub_)/.test(key)) return 'clha push sends a model when you say so; remove it'
  if (/^(gradient_checkpointing|deepspeed|fsdp|accelerate)/.test(key))
    return 'clha has no such option; remove it'
  return undefined
}
