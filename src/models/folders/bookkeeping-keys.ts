/** Keys of config.json that say nothing about the mathematics of the model. All others must be known to its family. */
import { usageError } from '../../errors.js'
import type { ConfigReader } from './config-reader.js'

const BOOKKEEPING = new Set(
  [
    // what it is, where it comes from
    'model_type architectures auto_map transformers_version transformers.js_config name_or_path unsloth_version unsloth_fixed',
    'is_llama_config torch_dtype dtype use_bfloat16 torchscript tf_legacy_loss attn_implementation gradient_checkpointing',
    // tokens and labels
    'bos_token_id eos_token_id pad_token_id sep_token_id unk_token_id decoder_start_token_id tokenizer_class prefix',
    'pad_token bos_token eos_token unk_token sep_token cls_token mask_token additional_special_tokens chat_template',
    'max_sequence_length max_seq_len max_seq_length seq_length model_max_length',
    'id2label label2id num_labels problem_type finetuning_task task_specific_params',
    // what a call returns, and how it generates
    'return_dict output_hidden_states output_attentions output_scores return_dict_in_generate use_cache cache_implementation',
    'chunk_size_feed_forward is_decoder max_length min_length max_new_tokens do_sample early_stopping num_beams',
    'num_beam_groups diversity_penalty temperature top_k top_p typical_p repetition_penalty length_penalty',
    'no_repeat_ngram_size encoder_no_repeat_ngram_size num_return_sequences exponential_decay_length_penalty',
    'forced_bos_token_id forced_eos_token_id remove_invalid_values bad_words_ids suppress_tokens begin_suppress_tokens',
    // how other tools trained, quantize caches, load and serve: transformers, TRL, Unsloth, OpenRLHF, vLLM, Megatron
    'neftune_noise_alpha kv_cache_dtype trust_remote_code value_head_prefix loss_type low_cpu_mem_usage device_map',
    'normalize_reward mean std torchao_version peft_version trl_version',
    'gradient_checkpointing_kwargs use_reentrant training_args max_batch_size use_flash_attn use_flash_attention_2',
    'flash_attn flash_attention attn_impl init_device',
    'initializer_cutoff_factor initializer_factor embd_init_std init_std',
    // the pooled heads of transformers' other model classes
    'summary_type summary_use_proj summary_activation summary_proj_to_labels',
  ].flatMap((line) => line.split(' ')),
)

/** Dropout of training; a model is trained here without, as TRL's preference trainers do. */
const DROPOUT = /dropout|_pdrop$|^layerdrop$/

const isBookkeeping = (key: string) => BOOKKEEPING.has(key) || key.startsWith('_') || DROPOUT.test(key)

/** Keys whose named value is what a model without the key computes. */
const NEUTRAL: Record<string, (value: unknown) => boolean> = {
  layer_types: (value) => Array.isArray(value) && value.every((type) => type === 'full_attention'),
  partial_rotary_factor: (value) => value === 1,
  rotary_pct: (value) => value === 1,
  pretraining_tp: (value) => value === 1,
  is_causal: (value) => value === true,
}

/** Keys that mean something where they are false: a model without them computes what true says. */
const ON_BY_DEFAULT = new Set(['is_causal'])

/** Null, false and empty: a setting that is off. */
const isOff = (key: string, value: unknown) =>
  value === null ||
  (value === false && !ON_BY_DEFAULT.has(key)) ||
  (typeof value === 'object' && Object.keys(value).length === 0)

/** @throws ClhaError (exit 2) naming the first key that is set, that the family does not know and that is not bookkeeping */
export function refuseUnknownKeys(read: ConfigReader): void {
  for (const [key, value] of read.unread()) {
    if (isBookkeeping(key) || isOff(key, value) || NEUTRAL[key]?.(value)) continue
    throw usageError(
      `${read.where}: "${key}": ${JSON.stringify(value)} is not known for model_type "${String(read.config.model_type)}"`,
      'a setting that may change what the model computes is never ignored; docs/models.md lists what is known',
    )
  }
}
