/** Rules between keys. An option that can't act is an error that says why: nothing is ignored in silence. */

import { snakeCase } from '../key-names.js'
import { SCHEDULE_SETTINGS } from '../optim/schedule.js'
import { evalName, GENERATED_METRICS } from '../runs/metric-names.js'
import { isAddress } from '../value-shapes.js'
import { type ConfigValues, hasDevelopmentData } from './defaults.js'
import { lossConflict, METHOD_RULES, type Rule } from './method-rules.js'
import type { ConfigKey } from './schema.js'
import { judgeSection } from './sections/judge-section.js'
import { LORA_KEYS } from './sections/lora-section.js'
import { didYouMean, suggest } from './suggest.js'

const CALIBRATION_KEYS = ['label_error', 'reward_temperature', 'relabels'] as const
const REWARD_TRAIN_KEYS = [
  'reward_model_config',
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

const narrowKey = (v: ConfigValues) => NARROW_KEYS.find((key) => v[key])

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
  { keys: LORA_KEYS, idle: (v) => !v.use_peft && 'use_peft is false: all weights are trained' },
  {
    keys: LORA_KEYS,
    idle: (v) => v.adapter_name_or_path !== undefined && 'adapter_name_or_path brings its own settings',
  },
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

/** Several scorers share no unit, and each counts once. */
function scorersConflict(v: ConfigValues): [ConfigKey, string][] {
  return (['reward_model', 'reward_column'] as const).flatMap((key): [ConfigKey, string][] => {
    const names = v[key] ?? []
    if (names.length < 2) return []
    if (new Set(names).size < names.length) return [[key, 'names a scorer twice']]
    if (v.mode === 'legacy') return [[key, 'names several scorers: mode: legacy takes one']]
    return (['reward_temperature', 'gate_level'] as const)
      .filter((unit) => v[unit] !== undefined)
      .map((unit) => [unit, `is in the unit of one reward, and ${key} names ${names.length} scorers`])
  })
}

/** Two normals are fitted to the log-perplexities of one language model. */
function perplexityConflict(v: ConfigValues): [ConfigKey, string][] {
  if (v.label_source !== 'perplexity') return []
  const columns = v.reward_column?.length ?? 0
  const model = v.reward_model?.length === 1 && v.reward_format === 'perplexity'
  if (!model && columns !== 1)
    return [
      [
        'label_source',
        'can be perplexity only with reward_format: perplexity and one reward_model (or a reward_column with -ln perplexity)',
      ],
    ]
  return (['label_error', 'reward_temperature', 'relabels'] as const)
    .filter((key) => v[key] !== undefined)
    .map((key) => [key, 'has no effect with label_source: perplexity, which finds error and unit by itself'])
}

/** A metric of generated answers that no evaluation will have; the other names are known when the model is. */
function bestMetricConflict(v: ConfigValues): [ConfigKey, string][] {
  const metric = /^eval_generated\/(.*)$/.exec(evalName(v.metric_for_best_model))?.[1]
  if (metric === undefined) return []
  const reason = () => {
    if (!GENERATED_METRICS.some((name) => name === metric))
      return `${v.metric_for_best_model}: no such metric.${didYouMean(suggest(metric, GENERATED_METRICS))} Of generated answers there are: ${GENERATED_METRICS.join(', ')}`
    if (v.eval_generation_steps === undefined)
      return `${v.metric_for_best_model} is of generated answers: set eval_generation_steps`
    if (metric === 'reward' && (v.reward_model ?? v.reward_endpoint ?? v.reward_function) === undefined)
      return `${v.metric_for_best_model} needs something that scores answers: reward_model, reward_endpoint or reward_function`
    if (metric === 'kl' && v.model_name_or_path === undefined)
      return `${v.metric_for_best_model} is measured to the start model, and random weights have none`
    return undefined
  }
  const found = reason()
  return found === undefined ? [] : [['metric_for_best_model', found]]
}

/** Settings of the schedule that transformers refuses too, and ends above the peak. */
function scheduleConflict(v: ConfigValues): [ConfigKey, string][] {
  const { min_lr, min_lr_rate, lr_end } = v.lr_scheduler_kwargs ?? {}
  const found: [ConfigKey, string][] = []
  if (v.lr_scheduler_type === 'cosine_with_min_lr' && (min_lr ?? min_lr_rate) === undefined)
    found.push(['lr_scheduler_type', 'is cosine_with_min_lr: set lr_scheduler_kwargs: {min_lr_rate: 0.1}'])
  if (min_lr !== undefined && min_lr_rate !== undefined)
    found.push([
      'lr_scheduler_kwargs',
      'has min_lr and min_lr_rate, which both set the lowest rate; remove one',
    ])
  for (const [name, rate] of Object.entries({ min_lr, lr_end }))
    if (rate !== undefined && rate > v.learning_rate)
      found.push(['lr_scheduler_kwargs', `${name} ${rate} is above learning_rate ${v.learning_rate}`])
  return found
}

/** Values that are fine alone and wrong together: the key to blame, and why. */
export function conflicts(v: ConfigValues): [ConfigKey, string][] {
  const found: [ConfigKey, string][] = [...lossConflict(v)]
  if (v.model_name_or_path !== undefined && v.model_config !== undefined) {
    found.push([
      'model_config',
      'is a start from random weights, model_name_or_path a start from a model; remove one',
    ])
  }
  if (v.reward_model !== undefined && v.reward_endpoint !== undefined) {
    found.push(['reward_endpoint', 'and reward_model both score the answers; remove one'])
  }
  found.push(...scorersConflict(v), ...perplexityConflict(v))
  found.push(...bestMetricConflict(v), ...scheduleConflict(v))
  if (v.reward_function !== undefined && (v.reward_model ?? v.reward_endpoint) !== undefined) {
    const other = v.reward_model !== undefined ? 'reward_model' : 'reward_endpoint'
    found.push(['reward_function', `and ${other} both score the answers; remove one`])
  }
  if (v.generation_endpoint !== undefined && v.answers_file !== undefined) {
    found.push(['answers_file', 'and generation_endpoint both bring answers; remove one'])
  }
  if (v.row !== undefined && v.id !== undefined)
    found.push(['id', 'and row both name an example; remove one'])
  const adapterKey = v.adapter_name_or_path !== undefined ? 'adapter_name_or_path' : v.use_peft && 'use_peft'
  if (adapterKey && v.model_name_or_path === undefined)
    found.push([adapterKey, 'needs model_name_or_path: an adapter stands on a model that is kept'])
  if (adapterKey && v.resize_embeddings)
    found.push(['resize_embeddings', `with ${adapterKey}: the new rows would not be saved with the adapter`])
  const narrow = narrowKey(v)
  if (v.load_in_4bit && v.load_in_8bit)
    found.push(['load_in_4bit', 'and load_in_8bit: weights are held in 4 bits or in 8; remove one'])
  if (narrow && v.model_config !== undefined)
    found.push([narrow, 'is for a stored model: random weights (model_config) are trained themselves'])
  if (narrow && v.resize_embeddings)
    found.push([narrow, 'with resize_embeddings: narrow weights are not changed'])
  if (v.bf16 && v.dtype !== 'float32')
    found.push(['bf16', `rounds products of float32 weights, and dtype is ${v.dtype}; remove one`])
  if (v.bf16 && narrow)
    found.push(['bf16', `with ${narrow}: such weights are multiplied in float32; remove one`])
  if (v.max_prompt_length >= v.max_length) {
    found.push([
      'max_prompt_length',
      `${v.max_prompt_length} leaves no room for an answer in max_length ${v.max_length}`,
    ])
  }
  if (v.dev_fraction + v.test_fraction >= 1) {
    found.push([
      'dev_fraction',
      `with test_fraction (${v.dev_fraction} + ${v.test_fraction}) leaves nothing to train on`,
    ])
  }
  if (v.load_best_model_at_end && !hasDevelopmentData(v)) {
    found.push(['load_best_model_at_end', 'needs development data: set eval_dataset or dev_fraction'])
  }
  if (v.report_to.includes('none') && v.report_to.length > 1) {
    found.push(['report_to', 'is none and something else at once; remove one'])
  }
  return v.mode === 'legacy' ? [...found, ...legacyConflicts(v)] : found
}

function legacyConflicts(v: ConfigValues): [ConfigKey, string][] {
  const found: [ConfigKey, string][] = []
  const raw = 'mode: legacy works with raw rewards, without calibration'
  if (v.label_source !== 'reward') found.push(['label_source', `can only be reward: ${raw}`])
  if (v.pair_weight !== 'hard') found.push(['pair_weight', `can only be hard: ${raw}`])
  if (v.rounds > 1) found.push(['rounds', 'can only be 1: mode: legacy takes lists of one length'])
  if (v.sft_gate === 'soft') found.push(['sft_gate', `can only be hard or off: ${raw}`])
  return found
}
