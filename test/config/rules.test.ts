import { describe, expect, test } from 'vitest'
import { LEGACY_DEFAULTS } from '../../src/config/defaults.js'
import { parseConfig } from '../../src/config/load-config.js'

const values = (yaml: string) => parseConfig('my.yaml', yaml).values
const complaint = (yaml: string): string => {
  try {
    values(yaml)
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

describe('legacy mode', () => {
  test("has the paper's values", () => {
    expect(values('mode: legacy')).toMatchObject({
      margin: 3,
      margin_scale: 'rank',
      reward_threshold: 3,
      sft_weight: 0.05,
      sft_gate: 'hard',
      gate_level: 0,
      learning_rate: 5e-6,
      lr_scheduler_type: 'constant',
      warmup_ratio: 0,
      max_prompt_length: 384,
      weight_decay: 0.01,
      adam_beta2: 0.999,
      max_grad_norm: 1,
    })
    const { per_device_train_batch_size: group, gradient_accumulation_steps: groups } = values('mode: legacy')
    expect([group, group * groups]).toEqual([2, 128])
  })

  test('explicit keys override them', () => {
    expect(values('mode: legacy\nmargin: 0.5\nlearning_rate: 1e-6')).toMatchObject({
      margin: 0.5,
      learning_rate: 1e-6,
    })
  })

  test('every one of its defaults is told as set by the mode', () => {
    const { origin } = parseConfig('my.yaml', 'mode: legacy')
    for (const key of Object.keys(LEGACY_DEFAULTS))
      expect([key, origin[key as 'margin']]).toEqual([key, 'mode'])
  })

  test('a shorter max_length shortens the prompt with it', () => {
    expect(values('mode: legacy\nmax_length: 100').max_prompt_length).toBe(75)
  })

  test('refuses what needs calibration', () => {
    expect(complaint('mode: legacy\nmin_confidence: 0.9')).toBe(
      'my.yaml:2:1  min_confidence has no effect: mode: legacy compares raw rewards with reward_threshold and gate_level',
    )
    expect(complaint('mode: legacy\nlabel_source: posterior')).toContain('label_source can only be reward')
    expect(complaint('mode: legacy\npair_weight: soft')).toContain('pair_weight can only be hard')
    expect(complaint('mode: legacy\nsft_gate: soft')).toContain('sft_gate can only be hard or off')
  })
})

describe('a key that has no effect is an error that says why', () => {
  test.each([
    ['reward_threshold: 3', 'mode: default decides by min_confidence'],
    ['method: sft\nmargin: 1', 'method: sft has no contrast'],
    ['sft_gate: off\ngate_quantile: 0.5', 'sft_gate is off'],
    ['gate_level: 0\ngate_quantile: 0.5', 'gate_level sets the level itself'],
    ['lr_scheduler_type: constant\nwarmup_ratio: 0.1', 'lr_scheduler_type: constant has no warm-up'],
    ['warmup_steps: 5\nwarmup_ratio: 0.1', 'warmup_steps decides'],
    ['max_steps: 5\nnum_train_epochs: 2', 'max_steps decides when training ends'],
    ['eval_dataset: a\ndev_fraction: 0.1', 'eval_dataset is the development data'],
    ['top_k: 5', 'temperature: 0 always takes the likeliest token'],
    ['dev_fraction: 0\nearly_stopping_patience: 3', 'there is no development data'],
    ['load_best_model_at_end: false\ngreater_is_better: true', 'neither load_best_model_at_end nor'],
    ['allow_inexact: true', 'it concerns resume_from_checkpoint only'],
    ['reward_model: a\nfolds: 3', 'reward_model names a model that is already trained'],
    ['reward_column: a\nreward_model: b', 'the rewards come from reward_column'],
    ['sft_num_train_epochs: 0\nsft_learning_rate: 1e-5', 'means no SFT start'],
    ['load_in_8bit: true', 'no model is named'],
    ['load_in_4bit: true', 'no model is named'],
  ])('%j', (yaml, reason) => {
    expect(complaint(yaml)).toContain('has no effect')
    expect(complaint(yaml)).toContain(reason)
  })

  test('a metric of generated answers may choose the best where it is measured', () => {
    const generated = (metric: string, more = '') =>
      complaint(
        `dev_fraction: 0.1\neval_generation_steps: 3\nmetric_for_best_model: eval_generated/${metric}${more}`,
      )
    expect(generated('length')).toBe('')
    expect(generated('reward', '\nreward_model: a')).toBe('')
    expect(generated('kl', '\nmodel_name_or_path: a')).toBe('')
  })

  test('and none of these keys is refused where it acts', () => {
    expect(values('temperature: 0.7\ntop_k: 5\nskip_bad: true\nmax_dropped: 0.1\nmax_steps: 5').top_k).toBe(5)
  })
})

test.each([
  ['model_name_or_path: a\nmodel_config: b', 'model_config is a start from random weights'],
  ['model_config: b\nload_in_8bit: true', 'load_in_8bit is for a stored model'],
  [
    'model_name_or_path: a\nresize_embeddings: true\nload_in_8bit: true',
    'load_in_8bit with resize_embeddings',
  ],
  ['model_config: b\nload_in_4bit: true', 'load_in_4bit is for a stored model'],
  ['model_name_or_path: a\nload_in_4bit: true\nload_in_8bit: true', 'load_in_4bit and load_in_8bit'],
  ['model_name_or_path: a\nload_in_4bit: true\nbf16: true', 'bf16 with load_in_4bit'],
  ['max_length: 64\nmax_prompt_length: 64', 'leaves no room for an answer'],
  ['dev_fraction: 0.5\ntest_fraction: 0.5', 'leaves nothing to train on'],
  ['dev_fraction: 0\nload_best_model_at_end: true', 'needs development data'],
  ['dtype: bfloat16\nbf16: true', 'bf16 rounds products of float32 weights, and dtype is bfloat16'],
  ['dtype: float64\nbf16: true', 'bf16 rounds products of float32 weights, and dtype is float64'],
  ['report_to: [none, jsonl]', 'is none and something else at once'],
  [
    'metric_for_best_model: eval_generated/lenght\neval_generation_steps: 3',
    'no such metric. Did you mean "length"?',
  ],
  ['metric_for_best_model: generated/length', 'is of generated answers: set eval_generation_steps'],
  [
    'metric_for_best_model: eval_generated/reward\neval_generation_steps: 3',
    'needs something that scores answers',
  ],
  [
    'model_config: a\nmetric_for_best_model: eval_generated/kl\neval_generation_steps: 3',
    'random weights have none',
  ],
  ['lr_scheduler_type: cosine_with_min_lr', 'lr_scheduler_type is cosine_with_min_lr: set'],
  [
    'lr_scheduler_type: cosine_with_min_lr\nlr_scheduler_kwargs: {min_lr: 1.0e-7, min_lr_rate: 0.5}',
    'has min_lr and min_lr_rate',
  ],
  [
    'learning_rate: 1.0e-4\nlr_scheduler_type: cosine_with_min_lr\nlr_scheduler_kwargs: {min_lr: 1}',
    'min_lr 1 is above learning_rate 0.0001',
  ],
  [
    'learning_rate: 1.0e-4\nlr_scheduler_type: polynomial\nlr_scheduler_kwargs: {lr_end: 1}',
    'lr_end 1 is above learning_rate 0.0001',
  ],
])('%j contradicts itself', (yaml, reason) => {
  expect(complaint(yaml)).toContain(reason)
})

test('defaults follow from other keys', () => {
  expect(values('method: sft').learning_rate).toBe(2e-5)
  expect(values('lr_scheduler_type: constant').warmup_ratio).toBe(0)
  expect(values('warmup_steps: 3').warmup_ratio).toBe(0)
  expect(values('eval_dataset: a').dev_fraction).toBe(0)
  expect(values('dev_fraction: 0').load_best_model_at_end).toBe(false)
  expect(values('metric_for_best_model: eval_reward/mean').greater_is_better).toBe(true)
  expect(values('').greater_is_better).toBe(false)
  expect(values('max_length: 100').max_prompt_length).toBe(75)
})

test('a setting of another learning-rate schedule is an error that names those of this one', () => {
  const polynomial = 'lr_scheduler_type: polynomial\nlr_scheduler_kwargs: '
  expect(complaint(`${polynomial}{power: 2}`)).toBe('')
  expect(complaint(`${polynomial}{min_lr: 1.0e-7}`)).toContain(
    'polynomial has only lr_end, power, not min_lr',
  )
  expect(complaint('lr_scheduler_kwargs: {power: 2}')).toContain('cosine has no settings')
})

test('device is auto, cpu, cuda or a numbered GPU', () => {
  for (const device of ['auto', 'cpu', 'cuda', 'cuda:3'])
    expect(values(`device: ${device}`).device).toBe(device)
  expect(values('').device).toBe('auto')
  expect(complaint('device: gpu')).toMatch(/auto, cpu, cuda or a text such as cuda:1, found/)
})

describe('several scorers', () => {
  const several = 'reward_column: [a, b]\n'
  test.each([
    ['reward_temperature: 2', 'in the unit of one reward'],
    ['gate_level: 0', 'in the unit of one reward'],
    ['mode: legacy', 'mode: legacy takes one'],
  ])('%s is refused', (line, reason) => expect(complaint(several + line)).toContain(reason))

  test('the same one twice is refused; one in a list is one', () => {
    expect(complaint('reward_column: [a, a]')).toContain('names a scorer twice')
    expect(values('reward_column: a')).toEqual(values('reward_column: [a]'))
  })
})

describe('label_source: perplexity', () => {
  const asked = 'label_source: perplexity\nreward_model: lm\nreward_format: perplexity\n'
  test('takes one language model, or a column', () => {
    expect(complaint(asked)).toBe('')
    expect(complaint('label_source: perplexity\nreward_column: minus_ln_ppl')).toBe('')
  })
  test.each([
    ['label_source: perplexity\nreward_model: rm', 'only with reward_format: perplexity'],
    ['label_source: perplexity', 'only with reward_format: perplexity'],
    [`${asked}label_error: 0.1`, 'finds error and unit by itself'],
    [`${asked}reward_temperature: 1`, 'finds error and unit by itself'],
  ])('%s is refused', (yaml, reason) => expect(complaint(yaml)).toContain(reason))
})

test('settings of a new adapter beside one that is there are refused with that reason', () => {
  expect(complaint('adapter_name_or_path: a\nlora_r: 4')).toContain(
    'lora_r has no effect: adapter_name_or_path brings its own settings',
  )
  // A run folder as model_name_or_path may bring an adapter that is trained on.
  expect(complaint('model_name_or_path: runs/adapter\nlora_dropout: 0.5')).toContain(
    'lora_dropout has no effect: use_peft is false: no new adapter is made',
  )
})
