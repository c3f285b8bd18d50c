/** Rules between keys. An option that can't act is an error that says why: nothing is ignored in silence. */

import { snakeCase } from '../key-names.js'
import { SCHEDULE_SETTINGS } from '../optim/schedule.js'
import { isAddress } from '../value-shapes.js'
import { type ConfigValues, hasDevelopmentData } from './defaults.js'
import { METHOD_RULES, type Rule } from './method-rules.js'
import type { ConfigKey } from './schema.js'
import { judgeSection } from './sections/judge-section.js'
import { LORA_KEYS } from './sections/lora-section.js'

const CALIBRATION_KEYS = ['label_error', 'reward_temperature', 'relabels'] as const
const REWARD_TRAIN_KEYS = [
  'reward_model_config',
  'reward_probe',
  'folds',
  'reward_learning_rate',
  'reward_num_train_epochs',
  'reward_max_steps',
  'reward_per_device_train_batch_size',
  'center_rewards_coefficient',
] as const

const ENDPOINT_KEYS = ['reward_endpoint_type', 'reward_endpoint_model', 'reward_endpoint_token_env'] as const

/** Of every reward server, those of eval_reward_model too. */
const SERVER_KEYS = [
  'reward_endpoint_concurrency',
  'reward_endpoint_timeout',
  'reward_endpoint_retries',
  'reward_rubric',
] as const

const GENERATION_KEYS = [
  'generation_endpoint_model',
  'generation_endpoint_concurrency',
  'generation_endpoint_timeout',
  'generation_endpoint_retries',
  'generation_endpoint_token_env',
] as const

const JUDGE_KEYS = Object.keys(judgeSection).filter((key) => key !== 'judge_endpoint') as ConfigKey[]

const NARROW_KEYS = ['load_in_8bit', 'load_in_4bit'] as const

/** The key that asks for weights held in few bits. */
export const narrowKey = (v: ConfigValues) => NARROW_KEYS.find((key) => v[key])

const RULES: readonly Rule[] = [
  {
    keys: ['resize_embeddings'],
    idle: (v) => typeof v.model_config === 'object' && 'model_config takes its vocabulary from the tokenizer',
  },
  {
    keys: NARROW_KEYS,
    idle: (v) =>
      narrowKey(v) !== undefined &&
      [v.model_name_or_path, v.reward_model, v.model_config].every((name) => name === undefined) &&
      'no model is named that could be loaded so',
  },
  {
    keys: LORA_KEYS,
    idle: (v) => v.adapter_name_or_path !== undefined && 'adapter_name_or_path brings its own settings',
  },
  { keys: LORA_KEYS, idle: (v) => !v.use_peft && 'use_peft is false: no new adapter is made' },
  ...METHOD_RULES,
  {
    keys: ['min_confidence', 'gate_quantile', ...CALIBRATION_KEYS],
    idle: (v) =>
      v.mode === 'legacy' && 'mode: legacy compares raw rewards with reward_threshold and gate_level',
  },
  {
    keys: ['reward_threshold'],
    idle: (v) =>
      v.mode === 'default' &&
      'mode: default decides by min_confidence, which does not depend on the unit of the reward',
  },
  { keys: ['gate_quantile', 'gate_level'], idle: (v) => v.sft_gate === 'off' && 'sft_gate is off' },
  { keys: ['gate_quantile'], idle: (_, given) => given('gate_level') && 'gate_level sets the level itself' },
  { keys: ['warmup_ratio'], idle: (_, given) => given('warmup_steps') && 'warmup_steps decides' },
  {
    keys: ['warmup_ratio', 'warmup_steps'],
    idle: (v) =>
      v.lr_scheduler_type === 'constant' &&
      'lr_scheduler_type: constant has no warm-up; constant_with_warmup has',
  },
  {
    keys: ['lr_scheduler_kwargs'],
    idle: (v) => idleSchedule(v),
  },
  { keys: ['adam_beta1', 'adam_beta2'], idle: (v) => v.optim !== 'adamw' && `optim is ${v.optim}` },
  { keys: ['adam_epsilon'], idle: (v) => v.optim === 'sgd' && 'optim is sgd' },
  { keys: ['weight_decay'], idle: (v) => v.optim === 'rmsprop' && 'optim: rmsprop has none' },
  { keys: ['rmsprop_alpha'], idle: (v) => v.optim !== 'rmsprop' && `optim is ${v.optim}` },
  { keys: ['sgd_momentum'], idle: (v) => v.optim !== 'sgd' && `optim is ${v.optim}` },
  {
    keys: ['num_train_epochs'],
    idle: (_, given) => given('max_steps') && 'max_steps decides when training ends',
  },
  {
    keys: ['reward_num_train_epochs'],
    idle: (_, given) => given('reward_max_steps') && 'reward_max_steps decides when its training ends',
  },
  {
    keys: REWARD_TRAIN_KEYS.filter((key) => key !== 'folds' && key !== 'reward_probe'),
    idle: (v) => v.reward_probe && 'reward_probe fits the reward model at once, on the start model',
  },
  {
    keys: ['dev_fraction'],
    idle: (_, given) => given('eval_dataset') && 'eval_dataset is the development data',
  },
  {
    keys: ['top_k', 'top_p', 'num_samples'],
    idle: (v) =>
      v.temperature === 0 && 'temperature: 0 always takes the likeliest token; set a temperature above 0',
  },
  {
    keys: [
      'eval_steps',
      'eval_generation_steps',
      'eval_on_start',
      'metric_for_best_model',
      'greater_is_better',
      'early_stopping_patience',
    ],
    idle: (v) => !hasDevelopmentData(v) && 'there is no development data: set eval_dataset or dev_fraction',
  },
  {
    keys: ['metric_for_best_model', 'greater_is_better'],
    idle: (v) =>
      !v.load_best_model_at_end &&
      v.early_stopping_patience === undefined &&
      'neither load_best_model_at_end nor early_stopping_patience uses it',
  },
  {
    keys: ['allow_inexact'],
    idle: (v) => v.resume_from_checkpoint === false && 'it concerns resume_from_checkpoint only',
  },
  {
    keys: ENDPOINT_KEYS,
    idle: (v) => v.reward_endpoint === undefined && 'reward_endpoint names no server',
  },
  {
    keys: SERVER_KEYS,
    idle: (v) =>
      v.reward_endpoint === undefined &&
      !v.eval_reward_model?.some(isAddress) &&
      'neither reward_endpoint nor eval_reward_model names a server',
  },
  {
    keys: GENERATION_KEYS,
    idle: (v) => v.generation_endpoint === undefined && 'generation_endpoint names no server',
  },
  { keys: JUDGE_KEYS, idle: (v) => v.judge_endpoint === undefined && 'judge_endpoint names no server' },
  {
    keys: ['judge_orders'],
    idle: (v) => v.judge_mode === 'single' && 'judge_mode: single shows one answer at a time',
  },
  {
    keys: ['judge_max_cost'],
    idle: (v) =>
      (v.judge_prompt_price === undefined || v.judge_reply_price === undefined) &&
      'what a token costs is not known: set judge_prompt_price and judge_reply_price',
  },
  {
    keys: ['judge_response_format'],
    idle: (v) =>
      ['mt-bench', 'alpaca-eval'].includes(v.judge_template) &&
      v.judge_response_format !== 'none' &&
      `the verdicts of ${v.judge_template} are no JSON`,
  },
  {
    keys: ['round_samples', 'round_temperature'],
    idle: (v) => v.rounds === 1 && 'rounds: 1 samples nothing',
  },
  {
    keys: ['reward_rubric'],
    idle: (v) =>
      !['auto', 'openai_chat'].includes(v.reward_endpoint_type) &&
      'only a chat model (reward_endpoint_type: openai_chat) reads a rubric',
  },
  {
    keys: REWARD_TRAIN_KEYS,
    idle: (v) => v.reward_endpoint !== undefined && 'reward_endpoint names a server that scores',
  },
  {
    keys: REWARD_TRAIN_KEYS,
    idle: (v) => v.reward_function !== undefined && 'reward_function scores the answers',
  },
  {
    keys: REWARD_TRAIN_KEYS,
    idle: (v) => v.reward_model !== undefined && 'reward_model names a model that is already trained',
  },
  { keys: ['reward_format'], idle: (v) => v.reward_model === undefined && 'there is no reward_model' },
  {
    keys: [...REWARD_TRAIN_KEYS, 'reward_model', 'reward_endpoint', 'reward_function', 'score_cache_dir'],
    idle: (v) => v.reward_column !== undefined && 'the rewards come from reward_column',
  },
  {
    keys: ['sft_dataset', 'sft_learning_rate'],
    idle: (v) => v.sft_num_train_epochs === 0 && 'sft_num_train_epochs: 0 means no SFT start',
  },
]

/** A schedule's setting that another schedule has. */
function idleSchedule({
  lr_scheduler_type: name,
  lr_scheduler_kwargs: given,
}: ConfigValues): string | undefined {
  const known = (SCHEDULE_SETTINGS[name] ?? []).map(snakeCase)
  const idle = Object.keys(given ?? {}).find((key) => !known.includes(key))
  if (idle === undefined) return undefined
  return `lr_scheduler_type: ${name} has ${known.length > 0 ? `only ${known.join(', ')}, not ${idle}` : 'no settings'}`
}

/** Why a key has no effect with these values; undefined when it has one. */
export function idleReason(
  key: ConfigKey,
  values: ConfigValues,
  given: (key: ConfigKey) => boolean,
): string | undefined {
  for (const rule of RULES) {
    const reason = rule.keys.includes(key) && rule.idle(values, given)
    if (reason) return reason
  }
  return undefined
}
