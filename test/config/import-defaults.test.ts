// What TRL, LLaMA-Factory and Axolotl do without being asked: it is written out, and what would get lost is told.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { importConfig } from '../../src/config/import/import.js'
import { temporaryFolder } from '../helpers/folders.js'

const BASE = { model_name_or_path: 'm', dataset_name: 'org/prefs', beta: 0.1 }

test('warmup_steps: 0, the default of the other tools, leaves a warmup_ratio its effect', () => {
  for (const tool of ['trl', 'llama-factory', 'axolotl'] as const) {
    const { values, dropped } = importConfig({ ...BASE, warmup_ratio: 0.1, warmup_steps: 0 }, tool)
    expect(values).toMatchObject({ warmup_ratio: 0.1 })
    expect(values).not.toHaveProperty('warmup_steps')
    expect(dropped).toContainEqual(expect.objectContaining({ key: 'warmup_steps' }))
  }
  expect(importConfig({ ...BASE, warmup_steps: 0 }, 'trl').values).toMatchObject({ warmup_steps: 0 })
})

test("SimPO keeps the likelihood term of CPO's trainer, whose weight is 1 unless cpo_alpha says it", () => {
  const weight = (all: object, tool: 'trl' | 'axolotl' | 'llama-factory') =>
    importConfig({ ...BASE, ...all }, tool).values.sft_weight
  expect(weight({ loss_type: 'simpo', cpo_alpha: 0.5 }, 'trl')).toBe(0.5)
  expect(weight({ loss_type: 'simpo', cpo_alpha: 0 }, 'trl')).toBe(0)
  expect(weight({ loss_type: 'simpo' }, 'trl')).toBe(1)
  expect(weight({ rl: 'simpo' }, 'axolotl')).toBe(1)
  expect(weight({ stage: 'dpo', pref_loss: 'simpo' }, 'llama-factory')).toBeUndefined()
  expect(importConfig({ ...BASE, cpo_alpha: 0.5 }, 'trl').values).toMatchObject({
    method: 'cpo',
    cpo_alpha: 0.5,
  })
})

test('a key that the method does not use is told as lost, one that another key overrides as not needed', () => {
  const { missing, dropped } = importConfig(
    { ...BASE, loss_type: 'sigmoid', cpo_alpha: 1, max_steps: 5, num_train_epochs: 2 },
    'trl',
    'dpo',
  )
  expect(missing.map(({ key }) => key)).toEqual(['cpo_alpha'])
  expect(dropped.map(({ key }) => key)).toContain('num_train_epochs')
})

test('the last weights and all checkpoints, which transformers keeps by default, are written out', () => {
  const { values, assumed } = importConfig(
    { ...BASE, save_total_limit: null, val_size: 0.1 },
    'llama-factory',
  )
  expect(values).toMatchObject({ load_best_model_at_end: false, save_total_limit: 1_000_000 })
  expect(assumed).toContainEqual({ key: 'load_best_model_at_end', value: false })
  const kept = { load_best_model_at_end: true, save_total_limit: 3, val_size: 0.1 }
  expect(importConfig({ ...BASE, ...kept }, 'llama-factory').values).toMatchObject({
    load_best_model_at_end: true,
    save_total_limit: 3,
  })
})

test("an adapter of TRL without target modules takes PEFT's of the family, or says that it can't tell", () => {
  const folder = temporaryFolder()
  const of = (model_type: string, more = {}) => {
    fs.writeFileSync(join(folder, 'config.json'), JSON.stringify({ model_type }))
    return importConfig({ ...BASE, model_name_or_path: folder, use_peft: true, ...more }, 'trl')
  }
  expect(of('llama').values.lora_target_modules).toEqual(['q_proj', 'v_proj'])
  expect(of('gpt2', { lora_target_modules: null }).values.lora_target_modules).toEqual(['c_attn'])
  expect(of('llama', { lora_target_modules: ['o_proj'] }).values.lora_target_modules).toEqual(['o_proj'])
  const { values, missing } = of('phi3')
  expect(values).not.toHaveProperty('lora_target_modules')
  expect(missing).toContainEqual(expect.objectContaining({ key: 'use_peft', value: true }))
})

test('max_length: null of TRL, no limit, is told and gets no default of TRL', () => {
  const { values, missing } = importConfig({ ...BASE, max_length: null }, 'trl')
  expect(values).not.toHaveProperty('max_length')
  expect(missing.map(({ key }) => key)).toEqual(['max_length'])
})

test('of an entry of datasets nothing vanishes: slice, split, type and columns of a local file are told', () => {
  const entry = { path: 'p.json', split: 'train[:10%]', type: 'chatml.intel', field_messages: 'conv' }
  const { missing, dropped } = importConfig({ base_model: 'm', rl: 'dpo', datasets: [entry] }, 'axolotl')
  const [{ reason }] = missing.filter(({ key }) => key === 'datasets')
  expect(reason).toContain('the slice [:10%] of p.json')
  expect(reason).toContain('field_messages: conv of p.json')
  expect(dropped.find(({ key }) => key === 'datasets')?.reason).toContain('type chatml.intel')
  const held = importConfig(
    { base_model: 'm', test_datasets: [{ path: 'p.json', split: 'held' }] },
    'axolotl',
  )
  expect(held.missing[0].reason).toContain('the split held of p.json: all rows are used')
})
