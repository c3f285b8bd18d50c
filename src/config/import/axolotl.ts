/** Axolotl: the YAML that `axolotl train` takes. */
import { joinDatasets, namedEntries } from './datasets.js'
import { share } from './llama-factory.js'
import {
  drop,
  each,
  list,
  miss,
  type Rule,
  type RuleTable,
  to,
  unlessOff,
  type Values,
  whenOn,
} from './rule.js'
import { mixedPrecision, optimizer, reporters, steps, TRAINING_ARGUMENTS } from './training-arguments.js'
import { anchorDefaults, cpoAlpha, lossDefaults } from './trl.js'

const datasets =
  (key: string, usual: string): Rule =>
  (value) =>
    joinDatasets(key, namedEntries(value), usual)

const adapter: Rule = (value) => {
  if (value === 'lora') return { set: { use_peft: true } }
  return value === 'qlora'
    ? { set: { use_peft: true, load_in_4bit: true } }
    : { miss: 'adapters are LoRA here' }
}

/** `rl: dpo` and the like; none of them is plain fine-tuning. */
export function axolotlMethod(all: Values): string | undefined {
  if (all.reward_model === true || all.process_reward_model === true) return 'reward'
  if (all.rl === undefined || all.rl === null || all.rl === false) return 'sft'
  return all.rl === 'ipo' ? 'dpo' : String(all.rl)
}

/** A number or the text of one: YAML reads `1e-5` as text in some readers. */
const number = (value: unknown) => (Number.isFinite(Number(value)) ? Number(value) : undefined)

const logged: Rule = (value) => (value ? reporters('wandb', {}) : { drop: 'its default' })

/** Per epoch where a whole number, per share of all steps below 1. */
const perEpoch =
  (key: string): Rule =>
  (value) =>
    Number(value) >= 1
      ? { drop: 'it happens after each epoch' }
      : { miss: `a share of all steps; set ${key}` }

export const AXOLOTL: RuleTable = {
  ...TRAINING_ARGUMENTS,
  ...each('revision_of_model', to('model_revision')),
  ...each('tokenizer_config', to('tokenizer_name_or_path')),
  ...each(
    'base_model_config model_type tokenizer_type is_llama_derived_model is_mistral_derived_model',
    drop('the folder of the model says it'),
  ),
  ...each('datasets', datasets('train_dataset', 'train')),
  ...each('test_datasets', datasets('eval_dataset', 'test')),
  ...each('val_set_size', whenOn(share)),
  ...each(
    'dataset_prepared_path dataset_processes dataset_exact_deduplication shuffle_merged_datasets',
    drop('nothing is prepared beforehand'),
  ),
  ...each(
    'sample_packing eval_sample_packing pad_to_sequence_len sample_packing_group_size pad_to_multiple_of',
    drop('every batch is one packed stream without padding'),
  ),
  ...each('batch_size', miss('gradient_accumulation_steps says how many groups make a step')),
  ...each('num_epochs', to('num_train_epochs', number)),
  ...each('learning_rate', to('learning_rate', number)),
  ...each('optimizer', optimizer),
  ...each(
    'cosine_min_lr_ratio',
    whenOn((value) => ({
      set: { lr_scheduler_type: 'cosine_with_min_lr', lr_scheduler_kwargs: { min_lr_rate: value } },
    })),
  ),
  ...each('evals_per_epoch', whenOn(perEpoch('eval_steps'))),
  ...each('saves_per_epoch', whenOn(perEpoch('save_steps'))),
  ...each('eval_steps', whenOn(steps('eval_steps'))),
  ...each('adapter', whenOn(adapter)),
  ...each('lora_model_dir', whenOn(to('adapter_name_or_path'))),
  ...each('lora_target_linear', whenOn(to('lora_target_modules', () => 'all-linear'))),
  ...each('lora_target_modules', (value) =>
    list(value ?? []).length === 0 ? { drop: 'its default' } : { set: { lora_target_modules: value } },
  ),
  ...each('lora_modules_to_save', (value) =>
    list(value ?? []).length === 0 ? { drop: 'its default' } : { set: { modules_to_save: value } },
  ),
  ...each('lora_fan_in_fan_out', drop('the model says it')),
  ...each('peft_use_rslora', to('use_rslora')),
  ...each('peft_use_dora lora_on_cpu', unlessOff('plain LoRA is trained')),
  ...each('rl', (value) => (value === 'ipo' ? { set: { loss_type: 'ipo' } } : { drop: 'method says it' })),
  ...each('reward_model process_reward_model', drop('the command says it')),
  ...each('rl_beta', to('beta')),
  orpo_alpha: (value, all) =>
    value === null || all.rl_beta != null ? { drop: 'rl_beta decides' } : { set: { beta: value } },
  max_prompt_len: whenOn(to('max_prompt_length')),
  dpo_use_weighting: whenOn(to('use_weighting')),
  ...each('rpo_alpha', whenOn(to('sft_weight'))),
  cpo_alpha: cpoAlpha((all) => all.rl === 'simpo'),
  ...each('dpo_label_smoothing', whenOn(to('label_smoothing'))),
  ...each('kto_desirable_weight', to('desirable_weight')),
  ...each('kto_undesirable_weight', to('undesirable_weight')),
  ...each('train_on_inputs', unlessOff('the loss is on answers only')),
  ...each('chat_template', axolotlTemplate),
  ...each('chat_template_jinja', miss('write the template into a file and name it with chat_template')),
  ...each(
    'special_tokens tokens added_tokens_overrides',
    unlessOff("the tokenizer's own special tokens are used"),
  ),
  bf16: mixedPrecision,
  bfloat16: whenOn(to('dtype', () => 'bfloat16')),
  ...each('float16', unlessOff('float16 is not computed here; bf16: true is')),
  ...each(
    'flash_attention xformers_attention sdp_attention s2_attention eager_attention flex_attention',
    drop('attention is computed in one way'),
  ),
  ...each('wandb_project wandb_name', whenOn(logged)),
  ...each(
    'wandb_entity wandb_watch wandb_log_model wandb_run_id wandb_mode mlflow_tracking_uri mlflow_experiment_name comet_project_name',
    drop('of a tracker'),
  ),
  ...each('use_tensorboard', whenOn(to('report_to', () => ['tensorboard', 'jsonl']))),
  early_stopping_metric: whenOn(to('metric_for_best_model')),
  ...each('debug strict', drop('not needed')),
  ...each(
    'group_by_length gradient_checkpointing',
    drop('how the work is laid on the machine; results do not depend on it'),
  ),
  ...each('plugins', unlessOff('code of other packages is never run')),
}

/** Names of templates that other tools ship; here the tokenizer brings its own. */
function axolotlTemplate(value: unknown): ReturnType<Rule> {
  if (value === 'chatml') return { set: { chat_template: 'chatml' } }
  if (String(value).startsWith('tokenizer_default')) return { drop: 'its default' }
  return { drop: 'the chat template comes with the tokenizer; without one set chat_template' }
}

/** Steps between, or the share of an epoch; NaN where neither is said. */
const interval = (all: Values, steps: string, perEpoch: string) =>
  Number(all[steps] ?? 1 / Number(all[perEpoch]))

/** Fine-tuning alone ends with the best weights, where each save falls on an evaluation. */
const loadsBest = (all: Values) =>
  !all.rl &&
  (Number(all.val_set_size) > 0 || all.test_datasets != null) &&
  interval(all, 'save_steps', 'saves_per_epoch') % interval(all, 'eval_steps', 'evals_per_epoch') === 0

/** What Axolotl does where a file is silent. */
export const axolotlDefaults = (method: string | undefined, all: Values): Values => ({
  ...lossDefaults(method),
  ...anchorDefaults(method),
  per_device_train_batch_size: 1,
  lora_dropout: 0,
  load_best_model_at_end: loadsBest(all),
  save_total_limit: 4,
  lr_scheduler_type: 'cosine',
  warmup_ratio: 0.03,
  num_train_epochs: 1,
  gradient_accumulation_steps: 1,
  weight_decay: 0,
  max_length: 512,
  dev_fraction: 0,
  test_fraction: 0,
})
