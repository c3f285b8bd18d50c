/** LLaMA-Factory: the YAML that `llamafactory-cli train` takes. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { joinDatasets, type Named } from './datasets.js'
import {
  drop,
  each,
  miss,
  type Rule,
  type RuleTable,
  texts,
  to,
  unlessOff,
  type Values,
  whenOn,
} from './rule.js'
import { TRAINING_ARGUMENTS, TRAINING_DEFAULTS } from './training-arguments.js'
import { lossDefaults } from './trl.js'

interface Registered {
  file_name?: unknown
  hf_hub_url?: unknown
  subset?: unknown
  split?: unknown
}

/** dataset_info.json of `dataset_dir`, which says what the names of data sets stand for. */
function registry(dir: string): Record<string, Registered> | undefined {
  const path = join(dir, 'dataset_info.json')
  try {
    return existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, Registered>)
      : undefined
  } catch {
    return undefined
  }
}

const optional = (value: unknown) => (value === undefined ? undefined : String(value))

const dataset =
  (key: string, usual: string): Rule =>
  (value, all) => {
    const dir = String(all.dataset_dir ?? 'data')
    const known = registry(dir)
    const named: Named[] = []
    const unknown: string[] = []
    for (const name of texts(value)) {
      const entry = known?.[name]
      if (entry?.hf_hub_url !== undefined) {
        named.push({
          path: String(entry.hf_hub_url),
          config: optional(entry.subset),
          split: optional(entry.split),
        })
      } else if (entry?.file_name !== undefined) named.push({ path: join(dir, String(entry.file_name)) })
      else unknown.push(name)
    }
    const found = named.length > 0 ? joinDatasets(key, named, usual) : {}
    if (unknown.length === 0) return found
    const where = known
      ? `not in ${dir}/dataset_info.json`
      : `${dir}/dataset_info.json, which says what it is, is not here`
    return { ...found, miss: `${unknown.join(', ')}: ${where}; set ${key} to files or names on the hub` }
  }

const STAGES: Record<string, string> = { rm: 'reward', pt: 'pretraining', ppo: 'ppo' }
/** Losses that are methods of their own here; the others are variants of DPO. */
const METHODS = ['orpo', 'simpo']

export function factoryMethod(all: Values): string | undefined {
  const stage = all.stage === undefined ? undefined : String(all.stage)
  if (stage === 'dpo') return METHODS.includes(String(all.pref_loss)) ? String(all.pref_loss) : 'dpo'
  return stage === undefined ? undefined : (STAGES[stage] ?? stage)
}

/** A share; a number of examples has no equivalent. */
export const share: Rule = (value) =>
  Number(value) < 1
    ? { set: { dev_fraction: Number(value) } }
    : { miss: 'a number of examples; dev_fraction is a share' }

const finetuning: Rule = (value) => {
  if (value === 'lora') return { set: { use_peft: true } }
  return value === 'full'
    ? { drop: 'its default' }
    : { miss: 'all weights are trained, or an adapter (use_peft)' }
}

const PRESETS = ['chatml', 'hh', 'plain']

/** The template comes with the tokenizer; only presets have names here. */
const template: Rule = (value) => {
  const name = value === 'qwen' ? 'chatml' : String(value)
  if (PRESETS.includes(name)) return { drop: `the tokenizer brings it; without one: chat_template: ${name}` }
  return { drop: 'the chat template comes with the tokenizer; without one set chat_template' }
}

const target: Rule = (value) => ({
  set: { lora_target_modules: texts(value).length === 1 && value === 'all' ? 'all-linear' : texts(value) },
})

const noSteps = 'the reward of a step comes from whole answers'

export const LLAMA_FACTORY: RuleTable = {
  ...TRAINING_ARGUMENTS,
  ...each('stage', drop('method says it')),
  ...each('pref_loss', (value) =>
    METHODS.includes(String(value)) ? { drop: 'method says it' } : { set: { loss_type: value } },
  ),
  ...each('finetuning_type', finetuning),
  ...each('template', template),
  ...each('dataset', dataset('train_dataset', 'train')),
  ...each('eval_dataset', dataset('eval_dataset', 'test')),
  ...each('dataset_dir media_dir tokenized_path', drop('part of the name of the data')),
  ...each('val_size', whenOn(share)),
  ...each('pref_beta', to('beta')),
  ...each('dpo_label_smoothing', whenOn(to('label_smoothing'))),
  ...each('pref_ftx', whenOn(to('sft_weight'))),
  ...each('ld_alpha', whenOn(to('ld_alpha'))),
  ...each('lora_target', target),
  ...each('additional_target', whenOn(to('modules_to_save', (value) => texts(value)))),
  ...each(
    'create_new_adapter loraplus_lr_ratio pissa_init use_galore use_badam use_apollo use_muon',
    unlessOff('not computed here'),
  ),
  ...each('packing neat_packing', drop('every batch is one packed stream without padding')),
  ...each(
    'train_on_prompt mask_history efficient_eos',
    unlessOff('the loss is on answers, each with its end'),
  ),
  ...each(
    'ref_model_adapters ref_model_quantization_bit',
    miss('ref_model names a model, without an adapter of its own'),
  ),
  ...each('reward_model_type', drop('the folder says it')),
  ...each('mix_strategy interleave_probs', unlessOff('data sets are joined', 'concat')),
  ...each('streaming buffer_size', drop('files are read as they are needed')),
  ...each(
    'upcast_layernorm upcast_lmhead_output shift_attn',
    unlessOff('norms and losses are computed in float32'),
  ),
  ...each('rope_scaling', unlessOff("the model's own is used")),
  ...each('use_swanlab', unlessOff('metrics go to metrics.jsonl, and to tensorboard if asked for')),
  ...each('process_reward_steps', unlessOff(noSteps)),
}

/** What LLaMA-Factory does where a file is silent. */
export const factoryDefaults = (method: string | undefined): Values => ({
  ...TRAINING_DEFAULTS,
  ...lossDefaults(method),
  max_length: 2048,
})

/** Of its adapters, where one is trained: alpha is twice the rank. */
export const factoryAdapter = (all: Values): Values =>
  all.finetuning_type === 'lora'
    ? { lora_r: 8, lora_alpha: 2 * Number(all.lora_rank ?? 8), lora_dropout: 0 }
    : {}
