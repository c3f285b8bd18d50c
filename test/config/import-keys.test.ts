// Single keys of TRL, LLaMA-Factory and Axolotl, and what they become here.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importConfig } from '../../src/config/import/import.js'
import { temporaryFolder } from '../helpers/folders.js'

test('a mix of losses of TRL keeps its weights, and the options of its DPO theirs', () => {
  const keys = {
    model_name_or_path: 'm',
    dataset_name: 'org/prefs',
    loss_type: ['sigmoid', 'bco_pair', 'sft'],
  }
  const { values } = importConfig(
    { ...keys, loss_weights: [0.8, 0.2, 1], ld_alpha: 0, use_weighting: true },
    'trl',
  )
  expect(values).toMatchObject({
    method: 'dpo',
    loss_type: ['sigmoid', 'bco_pair', 'sft'],
    loss_weights: [0.8, 0.2, 1],
    ld_alpha: 0,
    use_weighting: true,
  })
  const plain = importConfig(
    { ...keys, loss_type: 'sigmoid', loss_weights: null, ld_alpha: null },
    'trl',
  ).values
  for (const key of ['loss_weights', 'ld_alpha']) expect(plain).not.toHaveProperty(key)
  expect(
    importConfig({ stage: 'dpo', model_name_or_path: 'm', template: 'qwen', ld_alpha: 0.5 }, 'llama-factory')
      .values,
  ).toMatchObject({ ld_alpha: 0.5 })
})

test.each([
  ['trl', { model_name_or_path: 'm', dataset_name: 'org/prefs', loss_type: 'sigmoid' }, 'dtype'],
  ['llama-factory', { stage: 'dpo', model_name_or_path: 'm', template: 'qwen' }, 'torch_dtype'],
  ['axolotl', { base_model: 'm', rl: 'dpo' }, 'torch_dtype'],
] as const)('%s: bf16 is mixed precision here too, unless the weights are bfloat16', (tool, keys, dtype) => {
  const values = (more: Record<string, unknown>) => importConfig({ ...keys, ...more }, tool).values
  expect(values({ bf16: true })).toMatchObject({ bf16: true })
  expect(values({ bf16: true })).not.toHaveProperty('dtype')
  expect(values({ bf16: false })).not.toHaveProperty('bf16')
  const narrow = values({ bf16: true, [dtype]: 'bfloat16' })
  expect(narrow).toMatchObject({ dtype: 'bfloat16' })
  expect(narrow).not.toHaveProperty('bf16')
})

test('numbers that are bfloat16 throughout stay so', () => {
  expect(importConfig({ stage: 'sft', pure_bf16: true }, 'llama-factory').values).toMatchObject({
    dtype: 'bfloat16',
  })
  expect(importConfig({ base_model: 'm', bfloat16: true }, 'axolotl').values).toMatchObject({
    dtype: 'bfloat16',
  })
})

test('a cap on the steps of a reward model becomes its own key, in place of the epochs', () => {
  const keys = { max_steps: 50, num_train_epochs: 2, center_rewards_coefficient: 0.01 }
  const { values } = importConfig(keys, 'trl', 'reward')
  expect(values).toMatchObject({ reward_max_steps: 50 })
  expect(values).not.toHaveProperty('max_steps')
  expect(values).not.toHaveProperty('reward_num_train_epochs')
})

test('an evaluation before the first step, and the metric of early stopping, are taken', () => {
  const trl = { model_name_or_path: 'm', dataset_name: 'org/prefs', beta: 0.1 }
  const evaluated = { ...trl, eval_strategy: 'steps', eval_on_start: true }
  expect(importConfig(evaluated, 'trl').values).toMatchObject({ eval_on_start: true })
  const stopping = { early_stopping_metric: 'eval_rewards/accuracies', early_stopping_patience: 3 }
  const axolotl = { base_model: 'm', rl: 'dpo', val_set_size: 0.1, ...stopping }
  expect(importConfig(axolotl, 'axolotl').values).toMatchObject({
    metric_for_best_model: 'eval_rewards/accuracies',
    early_stopping_patience: 3,
  })
})

test('a file whose keys do not tell the kind of training says that it trains with CLHA, and how to say another', () => {
  const plain = { model_name_or_path: 'm', dataset_name: 'org/prefs', learning_rate: 5e-7 }
  const [kind] = importConfig(plain, 'trl').missing
  expect(kind).toMatchObject({ key: 'the kind of training', value: null })
  expect(kind.reason).toMatch(/no key tells it.*CLHA.*--method dpo/)
  expect(importConfig(plain, 'trl', 'dpo').missing).toEqual([])
})

describe('LLaMA-Factory', () => {
  const read = (info: object, all: object) => {
    const dir = temporaryFolder()
    fs.writeFileSync(join(dir, 'dataset_info.json'), JSON.stringify(info))
    return importConfig({ model_name_or_path: 'm', dataset_dir: dir, ...all }, 'llama-factory')
  }

  test('where a file is silent an adapter is trained, by SFT', () => {
    const { values, assumed } = read({}, {})
    expect(values).toMatchObject({ method: 'sft', use_peft: true, lora_r: 8, lora_alpha: 16 })
    expect(assumed).toContainEqual({ key: 'use_peft', value: true })
    expect(read({}, { finetuning_type: 'full' }).values).not.toHaveProperty('use_peft')
  })

  test('the weights of KTO are taken', () => {
    const { values, missing } = read({}, { stage: 'kto', kto_chosen_weight: 1, kto_rejected_weight: 2 })
    expect(values).toMatchObject({ method: 'kto', desirable_weight: 1, undesirable_weight: 2 })
    expect(missing).toEqual([])
  })

  test('columns that dataset_info.json calls otherwise become `columns`; what differs between data sets is told', () => {
    const usual = { messages: 'conversations', chosen: 'chosen', rejected: 'rejected' }
    const own = { prompt: 'question', chosen: 'good', rejected: 'bad' }
    const info = {
      a: { file_name: 'a.json', formatting: 'sharegpt', columns: usual },
      b: { file_name: 'b.json', columns: own },
      c: { file_name: 'c.json', columns: own, num_samples: 100 },
    }
    expect(read(info, { stage: 'dpo', dataset: 'a' }).values).not.toHaveProperty('columns')
    const columns = { instruction: 'question', chosen: 'good', rejected: 'bad' }
    const same = read(info, { stage: 'dpo', dataset: 'b', eval_dataset: 'c' })
    expect(same.values).toMatchObject({ columns })
    expect(same.missing.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^num_samples of c: all/),
    ])
    const mixed = read(info, { stage: 'dpo', dataset: 'a,b' })
    expect(mixed.values).not.toHaveProperty('columns')
    expect(mixed.missing[0].reason).toMatch(/columns differ \(a \{\}, b \{"instruction":"question"/)
  })
})

describe('Axolotl', () => {
  const read = (all: object) => importConfig({ base_model: 'm', ...all }, 'axolotl')

  test('orpo_alpha is the weight of the ratio, and prompts keep their limit', () => {
    const { values, missing } = read({ rl: 'orpo', orpo_alpha: 0.3, max_prompt_len: 256, sequence_len: 1024 })
    expect(values).toMatchObject({ method: 'orpo', beta: 0.3, max_prompt_length: 256 })
    expect(missing).toEqual([])
    expect(read({ rl: 'orpo', orpo_alpha: 0.3, rl_beta: 0.2 }).values).toMatchObject({ beta: 0.2 })
    expect(read({ rl: 'dpo', dpo_use_weighting: true }).values).toMatchObject({ use_weighting: true })
  })

  test('batches of one, no dropout, the last weights and four checkpoints are what it does in silence', () => {
    const silent = { per_device_train_batch_size: 1, load_best_model_at_end: false, save_total_limit: 4 }
    const tuned = { rl: 'dpo', adapter: 'lora', val_set_size: 0.1, save_steps: 100, eval_steps: 50 }
    expect(read(tuned).values).toMatchObject({ ...silent, lora_dropout: 0 })
    const best = (all: object) => read({ val_set_size: 0.1, ...all }).values.load_best_model_at_end
    expect(best({ save_steps: 100, eval_steps: 50 })).toBe(true)
    expect(best({ saves_per_epoch: 1, evals_per_epoch: 4 })).toBe(true)
    expect(best({ save_steps: 100, eval_steps: 30 })).toBe(false)
    expect(best({})).toBe(false)
  })
})
