// Whole configs of TRL, LLaMA-Factory and Axolotl: each is recognised, and becomes one of ours.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { main } from '../../src/cli/main.js'
import { type Imported, importConfig, toolOf } from '../../src/config/import/import.js'
import { importedYaml } from '../../src/config/import/write.js'
import { parseConfig } from '../../src/config/load-config.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'
import { Sink } from '../helpers/sink.js'

const RECIPES: Record<string, string> = {
  'trl dpo': `
model_name_or_path: org/instruct
dataset_name: org/prefs
dataset_train_split: train_prefs
dataset_test_split: test_prefs
eval_strategy: steps
eval_steps: 50
learning_rate: 5.0e-7
num_train_epochs: 1
per_device_train_batch_size: 2
gradient_accumulation_steps: 8
gradient_checkpointing: true
bf16: true
beta: 0.05
loss_type: ipo
max_length: 1536
max_prompt_length: 1024
warmup_steps: 0.1
lr_scheduler_type: cosine
logging_steps: 25
optim: adamw_torch
report_to: [wandb, tensorboard]
use_peft: true
lora_r: 32
lora_alpha: 16
lora_target_modules: [q_proj, v_proj]
trust_remote_code: true
output_dir: out/dpo
push_to_hub: false
`,
  'trl sft': `
model_name_or_path: org/base
datasets:
  - path: org/chat
  - path: own.jsonl
packing: true
max_length: 2048
num_train_epochs: 1
learning_rate: 2.0e-4
lr_scheduler_type: constant
warmup_ratio: 0.03
attn_implementation: flash_attention_2
report_to: none
output_dir: out/sft
`,
  'trl reward': `
model_name_or_path: org/small
dataset_name: org/prefs
center_rewards_coefficient: 0.01
learning_rate: 1.0e-5
per_device_train_batch_size: 4
gradient_accumulation_steps: 8
num_train_epochs: 1
output_dir: out/reward
`,
  'llama-factory dpo': `
model_name_or_path: org/instruct
trust_remote_code: true
stage: dpo
do_train: true
finetuning_type: lora
lora_rank: 8
lora_target: all
pref_beta: 0.2
pref_loss: sigmoid
dataset: dpo_en_demo
template: llama3
cutoff_len: 2048
max_samples: 1000
overwrite_cache: true
preprocessing_num_workers: 16
output_dir: saves/dpo
logging_steps: 10
save_steps: 500
plot_loss: true
overwrite_output_dir: true
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
learning_rate: 5.0e-6
num_train_epochs: 3.0
lr_scheduler_type: cosine
warmup_ratio: 0.1
bf16: true
ddp_timeout: 180000000
`,
  'llama-factory sft': `
model_name_or_path: org/base
stage: sft
do_train: true
finetuning_type: full
deepspeed: ds_z3.json
dataset: identity, mine
dataset_dir: DIR
template: qwen
cutoff_len: 1024
val_size: 0.1
eval_strategy: steps
eval_steps: 500
per_device_eval_batch_size: 1
learning_rate: 1.0e-5
num_train_epochs: 1
output_dir: saves/sft
report_to: none
`,
  'llama-factory simpo': `
model_name_or_path: org/instruct
stage: dpo
finetuning_type: full
pref_loss: simpo
simpo_gamma: 0.7
quantization_bit: 8
dataset: prefs
dataset_dir: DIR
template: default
learning_rate: 1.0e-6
`,
  'axolotl dpo': `
base_model: org/instruct
model_type: LlamaForCausalLM
load_in_8bit: false
load_in_4bit: true
rl: dpo
rl_beta: 0.3
datasets:
  - path: org/prefs
    type: chat_template.default
    split: train
test_datasets:
  - path: held.jsonl
    ds_type: json
sequence_len: 1024
sample_packing: false
adapter: qlora
lora_r: 16
lora_alpha: 32
lora_dropout: 0.05
lora_target_linear: true
micro_batch_size: 2
gradient_accumulation_steps: 4
num_epochs: 2
optimizer: adamw_bnb_8bit
lr_scheduler: cosine
learning_rate: 0.0002
bf16: auto
tf32: false
flash_attention: true
warmup_steps: 10
evals_per_epoch: 1
saves_per_epoch: 1
weight_decay: 0.0
special_tokens:
wandb_project: mine
output_dir: ./outputs/dpo
`,
  'axolotl sft': `
base_model: org/base
datasets:
  - path: data/train.jsonl
    type: alpaca
val_set_size: 0.05
sequence_len: 2048
sample_packing: true
micro_batch_size: 4
gradient_accumulation_steps: 1
num_epochs: 3
optimizer: adamw_torch_fused
learning_rate: 2e-5
train_on_inputs: false
chat_template: chatml
bf16: true
output_dir: outputs/sft
`,
  'axolotl orpo': `
base_model: org/base
rl: orpo
orpo_alpha: 0.1
datasets:
  - path: org/prefs
    data_files: [a.jsonl, b.jsonl]
sequence_len: 4096
micro_batch_size: 1
learning_rate: 8e-6
lr_scheduler: cosine
early_stopping_patience: 3
`,
}

/** With a registry of data sets, as LLaMA-Factory keeps one. */
function imported(name: string): { result: Imported; yaml: string } {
  const dir = temporaryFolder()
  const info = { mine: { file_name: 'mine.json' }, prefs: { hf_hub_url: 'org/prefs' } }
  fs.writeFileSync(join(dir, 'dataset_info.json'), JSON.stringify(info))
  const all = parse(RECIPES[name].replace('DIR', JSON.stringify(dir))) as Record<string, unknown>
  const result = importConfig(all, toolOf(all, 'their.yaml'))
  const yaml = importedYaml(result, 'their.yaml')
  const told = [...result.mapped, ...result.missing, ...result.dropped].map(({ key }) => key)
  expect(Object.keys(all).filter((key) => !told.includes(key))).toEqual([])
  return { result, yaml }
}

describe.each(Object.keys(RECIPES))('%s', (name) => {
  test('is recognised, its result is a config that loads, and every key is accounted for', () => {
    const { result, yaml } = imported(name)
    expect(result.tool).toBe(name.split(' ')[0])
    const { origin } = parseConfig('my.yaml', yaml)
    for (const key of Object.keys(result.values)) expect(origin).toHaveProperty(key, 'file')
    expect(parse(yaml)).toEqual(result.values)
  })
})

test('a DPO config of TRL keeps its loss, its adapter, its batches and its splits', () => {
  const { result } = imported('trl dpo')
  expect(result.values).toMatchObject({
    method: 'dpo',
    loss_type: 'ipo',
    beta: 0.05,
    bf16: true,
    warmup_ratio: 0.1,
    eval_steps: 50,
    train_dataset: 'org/prefs:**/*train_prefs*',
    eval_dataset: 'org/prefs:**/*test_prefs*',
    use_peft: true,
    lora_r: 32,
    lora_target_modules: ['q_proj', 'v_proj'],
    report_to: ['tensorboard'],
    optim: 'adamw',
    weight_decay: 0,
    max_length: 1536,
  })
  const reasons = Object.fromEntries(result.missing.map(({ key, reason }) => [key, reason]))
  expect(Object.keys(reasons).sort()).toEqual(['report_to', 'trust_remote_code'])
  expect(reasons.report_to).toMatch(/does not write to wandb/)
  expect(result.assumed).toContainEqual({ key: 'weight_decay', value: 0 })
})

test('what a schedule makes idle is left out and said', () => {
  const { result } = imported('trl sft')
  expect(result.values).toMatchObject({ method: 'sft', train_dataset: ['org/chat', 'own.jsonl'] })
  expect(result.values).not.toHaveProperty('warmup_ratio')
  expect(result.dropped.find(({ key }) => key === 'warmup_ratio')?.reason).toMatch(/constant has no warm-up/)
})

test('a reward model has its own command and keys; a step is one batch', () => {
  const { result, yaml } = imported('trl reward')
  expect(yaml).toMatch(/clha reward train\n/)
  expect(result.values).toMatchObject({
    reward_learning_rate: 1e-5,
    reward_num_train_epochs: 1,
    reward_per_device_train_batch_size: 32,
    folds: 1,
    center_rewards_coefficient: 0.01,
  })
})

test('data sets of LLaMA-Factory are looked up in dataset_info.json; others are named', () => {
  const { result } = imported('llama-factory sft')
  expect(result.values.train_dataset).toMatch(/mine\.json$/)
  expect(result.values).toMatchObject({
    method: 'sft',
    dev_fraction: 0.1,
    max_length: 1024,
    eval_batch_size: 1,
  })
  expect(result.missing.find(({ key }) => key === 'dataset')?.reason).toMatch(/^identity: not in/)
  const simpo = imported('llama-factory simpo').result
  expect(simpo.values).toMatchObject({
    method: 'simpo',
    train_dataset: 'org/prefs',
    simpo_gamma: 0.7,
    beta: 0.1,
    load_in_8bit: true,
  })
  const dpo = imported('llama-factory dpo').result
  expect(dpo.values).toMatchObject({
    method: 'dpo',
    beta: 0.2,
    use_peft: true,
    lora_r: 8,
    lora_alpha: 16,
    lora_target_modules: 'all-linear',
  })
})

test('an Axolotl config: QLoRA stays so; 8-bit optimizers and trackers have no equivalent', () => {
  const { result } = imported('axolotl dpo')
  expect(result.values).toMatchObject({
    model_name_or_path: 'org/instruct',
    method: 'dpo',
    beta: 0.3,
    train_dataset: 'org/prefs',
    eval_dataset: 'held.jsonl',
    use_peft: true,
    lora_target_modules: 'all-linear',
    warmup_steps: 10,
    per_device_train_batch_size: 2,
    num_train_epochs: 2,
    learning_rate: 0.0002,
    load_in_4bit: true,
  })
  expect(result.missing.map(({ key }) => key).sort()).toEqual(['bf16', 'optimizer', 'wandb_project'].sort())
  expect(imported('axolotl orpo').result.values).toMatchObject({
    method: 'orpo',
    train_dataset: ['org/prefs:a.jsonl', 'org/prefs:b.jsonl'],
    learning_rate: 8e-6,
  })
})

test('keys of no tool, or of two, have to be told whose they are', () => {
  expect(thrown(() => toolOf({ foo: 1 }, 'x.yaml')).message).toBe(
    'x.yaml: no key of TRL, LLaMA-Factory or Axolotl',
  )
  expect(thrown(() => toolOf({ base_model: 'a', stage: 'sft' }, 'x.yaml')).hint).toMatch(/--from/)
})

test('a value that would end a comment stays in it', () => {
  const { missing, ...rest } = importConfig({ stage: 'sft', 'odd\nkey': 'a\nmethod: pro' }, 'llama-factory')
  const yaml = importedYaml({ ...rest, missing }, 'x\ny.yaml')
  expect(parse(yaml)).toEqual(rest.values)
})

test('the command writes YAML, a file, or JSON, and never over a file', async () => {
  const dir = temporaryFolder()
  const file = join(dir, 'their.yaml')
  const output = join(dir, 'my.yaml')
  fs.writeFileSync(file, RECIPES['axolotl sft'])
  const call = async (...argv: string[]) => {
    const [stdout, stderr] = [new Sink(), new Sink()]
    const io = { stdin: Readable.from(['']), stdout, stderr, env: {}, exit() {} }
    return { code: await main(['config', 'import', file, ...argv], io), out: stdout.text, err: stderr.text }
  }
  const shown = await call()
  expect([shown.code, parse(shown.out)]).toEqual([0, expect.objectContaining({ chat_template: 'chatml' })])
  expect((await call('--output', output)).out).toMatch(/keys taken, \d+ without equivalent, \d+ not needed/)
  expect(parse(fs.readFileSync(output, 'utf8'))).toEqual(parse(shown.out))
  expect((await call('--output', output)).err).toMatch(/is there already/)
  expect(JSON.parse((await call('--json')).out).import).toMatchObject({ tool: 'axolotl', command: 'train' })
  expect((await call('--from', 'verl')).err).toMatch(/no such tool/)
})
