/** Keys of transformers' TrainingArguments, which TRL and LLaMA-Factory share. Those of the same name are not listed. */
import {
  drop,
  each,
  list,
  type Outcome,
  type Rule,
  type RuleTable,
  to,
  unlessOff,
  type Values,
  whenOn,
} from './rule.js'

const OPTIMIZERS: [pattern: RegExp, optim: string][] = [
  [/^adamw_(torch|torch_fused|hf|apex_fused)$|^adamw$/, 'adamw'],
  [/^rmsprop$/, 'rmsprop'],
  [/^sgd$/, 'sgd'],
]

/** An optimizer that computes the same. */
export const optimizer: Rule = (value) => {
  const found = OPTIMIZERS.find(([pattern]) => pattern.test(String(value)))
  return found ? { set: { optim: found[1] } } : { miss: `no such optimizer here; AdamW is used` }
}

/** `no` means none besides those after each epoch; `steps` says that the key of steps counts. */
const strategy =
  (steps: string, what: string): Rule =>
  (value) => {
    if (value === 'steps') return { drop: `${steps} says how often` }
    if (value === 'epoch') return { drop: `${what} follow each epoch` }
    return { drop: `${what} follow each epoch all the same` }
  }

/** A whole number of steps; a share of all steps has no equivalent. */
export const steps =
  (key: string): Rule =>
  (value) =>
    typeof value === 'number' && value >= 1
      ? { set: { [key]: Math.round(value) } }
      : { miss: 'a share of all steps; give a number of steps' }

/** Newer versions of transformers take a share here too; 0 is the default of the older ones, in which a ratio acts then. */
const warmup: Rule = (value, all): Outcome => {
  if (value === 0 && all.warmup_ratio != null) return { drop: 'its default; warmup_ratio decides' }
  return typeof value === 'number' && value > 0 && value < 1
    ? { set: { warmup_ratio: value } }
    : { set: { warmup_steps: value } }
}

const REPORTERS = ['tensorboard', 'mlflow', 'none', 'all', 'jsonl']

/** What works is taken, other trackers are named. */
export const reporters: Rule = (value) => {
  const names = list(value).map(String)
  const kept = names.filter((name) => REPORTERS.includes(name))
  const other = names.filter((name) => !REPORTERS.includes(name))
  const lost = `clha does not write to ${other.join(', ')}; metrics go to metrics.jsonl, and to tensorboard if asked for`
  return {
    ...(kept.length > 0 ? { set: { report_to: kept } } : {}),
    ...(other.length > 0 ? { miss: lost } : {}),
  }
}

/** Autocast: f32 weights with bfloat16 products. Weights that are bfloat16 themselves need none. */
export const mixedPrecision: Rule = whenOn((value, all) => {
  if (value === 'auto') return { miss: 'auto: bfloat16 where the machine is fast at it; set bf16' }
  const narrow =
    [all.torch_dtype, all.dtype].includes('bfloat16') || all.pure_bf16 === true || all.bfloat16 === true
  return narrow ? { drop: 'the weights are bfloat16, and so are all products' } : { set: { bf16: true } }
})

const MACHINE = 'how the work is laid on the machine; results do not depend on it'

export const TRAINING_ARGUMENTS: RuleTable = {
  ...each(
    'do_train do_eval do_predict overwrite_cache overwrite_output_dir prediction_loss_only',
    drop('the command says it'),
  ),
  ...each(
    'logging_strategy logging_first_step logging_dir disable_tqdm log_level run_name',
    drop('logs have one form here'),
  ),
  ...each('logging_nan_inf_filter', drop('a loss that is not finite always ends the run')),
  ...each(
    'remove_unused_columns no_remove_unused_columns label_names',
    drop('columns are recognised by themselves'),
  ),
  ...each(
    'dataloader_num_workers dataloader_pin_memory dataloader_prefetch_factor dataset_num_proc preprocessing_num_workers',
    drop(MACHINE),
  ),
  ...each(
    'gradient_checkpointing gradient_checkpointing_kwargs group_by_length torch_compile use_cpu no_cuda',
    drop(MACHINE),
  ),
  ...each(
    'deepspeed fsdp fsdp_config ddp_timeout ddp_find_unused_parameters ddp_backend local_rank accelerator_config',
    drop(MACHINE),
  ),
  ...each(
    'attn_implementation flash_attn use_liger_kernel use_liger enable_liger_kernel tf32',
    drop(MACHINE),
  ),
  ...each('save_safetensors', drop('weights are always saved as safetensors')),
  ...each('save_only_model', unlessOff('checkpoints always hold what resuming needs')),
  ...each(
    'dataloader_drop_last',
    unlessOff('the last, smaller batch is trained on, with its own denominators'),
  ),
  ...each('ignore_data_skip', unlessOff('a resumed run goes on where it stopped')),
  ...each(
    'use_fast_tokenizer include_num_input_tokens_seen plot_loss auto_find_batch_size',
    drop('always so, or not needed'),
  ),
  ...each('trust_remote_code', unlessOff('code of a model folder is never run')),
  ...each('neftune_noise_alpha label_smoothing_factor', unlessOff('not computed here')),
  quantization_method: unlessOff('weights in 4 bits are NF4, those in 8 have a scale for each row'),
  quantization_bit: whenOn((value) =>
    [4, 8].includes(Number(value))
      ? { set: { [`load_in_${value}bit`]: true } }
      : { miss: 'weights are held in 4 or 8 bits, or as dtype says' },
  ),
  ...each('use_dora', unlessOff('plain LoRA is trained')),
  ...each('fp16', unlessOff('float16 is not computed here; bf16: true is')),
  bf16: mixedPrecision,
  ...each('pure_bf16', whenOn(to('dtype', () => 'bfloat16'))),
  ...each(
    'torch_dtype dtype',
    whenOn(to('dtype', (value) => (['auto', 'float16', 'half'].includes(String(value)) ? undefined : value))),
  ),
  ...each('push_to_hub', unlessOff('clha push sends a model when you say so')),
  ...each(
    'hub_model_id hub_strategy hub_token hub_private_repo',
    drop('clha push org/name sends a model when you say so'),
  ),
  ...each('data_seed full_determinism', drop('seed decides everything; runs are deterministic on the CPU')),
  ...each('eval_strategy evaluation_strategy', strategy('eval_steps', 'evaluations')),
  ...each('save_strategy', strategy('save_steps', 'checkpoints')),
  eval_steps: whenOn(steps('eval_steps')),
  save_steps: whenOn(steps('save_steps')),
  logging_steps: whenOn(steps('logging_steps')),
  max_steps: (value) => (Number(value) > 0 ? { set: { max_steps: value } } : { drop: 'its default' }),
  resume_from_checkpoint: whenOn(to('resume_from_checkpoint')),
  warmup_steps: warmup,
  save_total_limit: whenOn(to('save_total_limit')),
  optim: optimizer,
  optim_args: unlessOff('no further arguments'),
  per_device_eval_batch_size: to('eval_batch_size'),
  report_to: reporters,
  use_rslora: to('use_rslora'),
}

/** Checkpoints of a training that deletes none: more than any has. */
const ALL_CHECKPOINTS = 1_000_000

/** What TrainingArguments does where a file is silent, where that is not what clha does. */
export const TRAINING_DEFAULTS: Values = {
  learning_rate: 5e-5,
  lr_scheduler_type: 'linear',
  warmup_ratio: 0,
  num_train_epochs: 3,
  per_device_train_batch_size: 8,
  gradient_accumulation_steps: 1,
  weight_decay: 0,
  dev_fraction: 0,
  test_fraction: 0,
  load_best_model_at_end: false,
  save_total_limit: ALL_CHECKPOINTS,
}
