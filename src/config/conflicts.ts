/** Values that are fine alone and wrong together. */
import { evalName, GENERATED_METRICS } from '../runs/metric-names.js'
import { type ConfigValues, hasDevelopmentData } from './defaults.js'
import { lossConflict } from './method-rules.js'
import { narrowKey } from './rules.js'
import type { ConfigKey } from './schema.js'
import { didYouMean, suggest } from './suggest.js'

/** The key to blame, and why. */
type Conflict = [ConfigKey, string]

/** Two keys of which one has to go: the second is blamed. */
const BOTH: readonly [ConfigKey, ConfigKey, string][] = [
  [
    'model_name_or_path',
    'model_config',
    'is a start from random weights, model_name_or_path a start from a model',
  ],
  ['reward_model', 'reward_endpoint', 'and reward_model both score the answers'],
  ['reward_model', 'reward_function', 'and reward_model both score the answers'],
  ['reward_endpoint', 'reward_function', 'and reward_endpoint both score the answers'],
  ['generation_endpoint', 'answers_file', 'and generation_endpoint both bring answers'],
  ['row', 'id', 'and row both name an example'],
]

const adapterKey = (v: ConfigValues): ConfigKey | undefined =>
  v.adapter_name_or_path !== undefined ? 'adapter_name_or_path' : v.use_peft ? 'use_peft' : undefined

const CHECKS: readonly ((v: ConfigValues) => Conflict | false | undefined | '')[] = [
  (v) => {
    const key = v.model_name_or_path === undefined && adapterKey(v)
    return key && [key, 'needs model_name_or_path: an adapter stands on a model that is kept']
  },
  (v) => {
    const key = v.resize_embeddings && adapterKey(v)
    return key && ['resize_embeddings', `with ${key}: the new rows would not be saved with the adapter`]
  },
  (v) =>
    v.load_in_4bit &&
    v.load_in_8bit && ['load_in_4bit', 'and load_in_8bit: weights are held in 4 bits or in 8; remove one'],
  (v) => {
    const key = v.model_config !== undefined && narrowKey(v)
    return key && [key, 'is for a stored model: random weights (model_config) are trained themselves']
  },
  (v) => {
    const key = v.resize_embeddings && narrowKey(v)
    return key && [key, 'with resize_embeddings: narrow weights are not changed']
  },
  (v) =>
    v.bf16 &&
    v.dtype !== 'float32' && [
      'bf16',
      `rounds products of float32 weights, and dtype is ${v.dtype}; remove one`,
    ],
  (v) => {
    const key = v.bf16 && narrowKey(v)
    return key && ['bf16', `with ${key}: such weights are multiplied in float32; remove one`]
  },
  (v) =>
    v.max_prompt_length >= v.max_length && [
      'max_prompt_length',
      `${v.max_prompt_length} leaves no room for an answer in max_length ${v.max_length}`,
    ],
  (v) =>
    v.dev_fraction + v.test_fraction >= 1 && [
      'dev_fraction',
      `with test_fraction (${v.dev_fraction} + ${v.test_fraction}) leaves nothing to train on`,
    ],
  (v) =>
    v.load_best_model_at_end &&
    !hasDevelopmentData(v) && [
      'load_best_model_at_end',
      'needs development data: set eval_dataset or dev_fraction',
    ],
  (v) =>
    v.report_to.includes('none') &&
    v.report_to.length > 1 && ['report_to', 'is none and something else at once; remove one'],
]

/** The key to blame for each, and why. */
export function conflicts(v: ConfigValues): Conflict[] {
  return [
    ...lossConflict(v),
    ...BOTH.filter(([one, other]) => v[one] !== undefined && v[other] !== undefined).map(
      ([, key, why]): Conflict => [key, `${why}; remove one`],
    ),
    ...CHECKS.flatMap((check) => {
      const found = check(v)
      return found ? [found] : []
    }),
    ...scorersConflict(v),
    ...perplexityConflict(v),
    ...bestMetricConflict(v),
    ...scheduleConflict(v),
    ...(v.mode === 'legacy' ? legacyConflicts(v) : []),
  ]
}

/** Several scorers share no unit, and each counts once. */
function scorersConflict(v: ConfigValues): Conflict[] {
  return (['reward_model', 'reward_column'] as const).flatMap((key): Conflict[] => {
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
function perplexityConflict(v: ConfigValues): Conflict[] {
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
function bestMetricConflict(v: ConfigValues): Conflict[] {
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
function scheduleConflict(v: ConfigValues): Conflict[] {
  const { min_lr, min_lr_rate, lr_end } = v.lr_scheduler_kwargs ?? {}
  const found: Conflict[] = []
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

function legacyConflicts(v: ConfigValues): Conflict[] {
  const found: Conflict[] = []
  const raw = 'mode: legacy works with raw rewards, without calibration'
  if (v.label_source !== 'reward') found.push(['label_source', `can only be reward: ${raw}`])
  if (v.pair_weight !== 'hard') found.push(['pair_weight', `can only be hard: ${raw}`])
  if (v.rounds > 1) found.push(['rounds', 'can only be 1: mode: legacy takes lists of one length'])
  if (v.sft_gate === 'soft') found.push(['sft_gate', `can only be hard or off: ${raw}`])
  return found
}
