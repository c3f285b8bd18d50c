/** LLaMA-Factory: the YAML that `llamafactory-cli train` takes. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { joinDatasets, type Named } from './datasets.js'
import {
  drop,
  each,
  miss,
  type Outcome,
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
  num_samples?: unknown
  /** Its columns by their names there. */
  columns?: Record<string, unknown>
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

/** What its names of columns are called here; the others have the same name. */
const COLUMNS: Record<string, string> = {
  prompt: 'instruction',
  query: 'input',
  response: 'output',
  messages: 'conversations',
  kto_tag: 'label',
}

/** Those that the file calls otherwise, as `columns` takes them. */
const renamed = ({ columns }: Registered): Values =>
  Object.fromEntries(
    Object.entries(columns ?? {})
      .map(([name, theirs]) => [COLUMNS[name] ?? name, theirs])
      .filter(([ours, theirs]) => theirs != null && ours !== theirs),
  )

/** One `columns` serves all data sets here: it is set where they agree. */
function columnsOf(names: readonly string[], all: readonly Registered[]): { set: Values; lost: string[] } {
  const each = all.map(renamed)
  if (each.every((columns) => Object.keys(columns).length === 0)) return { set: {}, lost: [] }
  const isOne = new Set(each.map((columns) => JSON.stringify(columns))).size === 1
  if (isOne) return { set: { columns: each[0] }, lost: [] }
  const told = names.map((name, i) => `${name} ${JSON.stringify(each[i])}`).join(', ')
  return {
    set: {},
    lost: [`columns differ (${told}): one \`columns\` serves all data sets, so rename them in the files`],
  }
}

const dataset =
  (key: string, usual: string): Rule =>
  (value, all) => {
    const dir = String(all.dataset_dir ?? 'data')
    const known = registry(dir) ?? {}
    const isRegistered = (name: string) =>
      known[name]?.hf_hub_url !== undefined || known[name]?.file_name !== undefined
    const names = texts(value).filter(isRegistered)
    const found = joinRegistered(key, names, known, dir, usual)
    // The evaluation's data sets are read with the same `columns`.
    const both = [...new Set([all.dataset, all.eval_dataset].flatMap((named) => texts(named ?? [])))]
    const shared = both.filter(isRegistered)
    const columns = columnsOf(
      shared,
      shared.map((name) => known[name]),
    )
    const unknown = texts(value).filter((name) => !isRegistered(name))
    const where = existsSync(join(dir, 'dataset_info.json'))
      ? `not in ${dir}/dataset_info.json`
      : `${dir}/dataset_info.json, which says what it is, is not here`
    const lost = [
      ...(unknown.length > 0
        ? [`${unknown.join(', ')}: ${where}; set ${key} to files or names on the hub`]
        : []),
      ...(found.miss === undefined ? [] : [found.miss]),
      ...columns.lost,
    ]
    return {
      ...found,
      set: { ...found.set, ...columns.set },
      ...(lost.length > 0 && { miss: lost.join('; ') }),
    }
  }

function joinRegistered(
  key: string,
  names: readonly string[],
  known: Record<string, Registered>,
  dir: string,
  usual: string,
): Outcome {
  if (names.length === 0) return {}
  const named = names.map((name): Named => {
    const { hf_hub_url, file_name, subset, split } = known[name]
    return hf_hub_url === undefined
      ? { path: join(dir, String(file_name)) }
      : { path: String(hf_hub_url), config: optional(subset), split: optional(split) }
  })
  const found = joinDatasets(key, named, usual)
  const capped = names.filter((name) => known[name].num_samples != null)
  if (capped.length === 0) return found
  const cap = `num_samples of ${capped.join(', ')}: all rows are used; see max_samples`
  return { ...found, miss: found.miss === undefined ? cap : `${found.miss}; ${cap}` }
}

const STAGES: Record<string, string> = { rm: 'reward', pt: 'pretraining', ppo: 'ppo' }
/** Losses that are methods of their own here; the others are variants of DPO. */
const METHODS = ['orpo', 'simpo']

export function factoryMethod(all: Values): string {
  const stage = String(all.stage ?? 'sft')
  if (stage === 'dpo') return METHODS.includes(String(all.pref_loss)) ? String(all.pref_loss) : 'dpo'
  return STAGES[stage] ?? stage
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
  kto_chosen_weight: to('desirable_weight'),
  kto_rejected_weight: to('undesirable_weight'),
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

/** An adapter is its `finetuning_type` where a file is silent; alpha is twice the rank. */
export const factoryAdapter = (all: Values): Values =>
  (all.finetuning_type ?? 'lora') === 'lora'
    ? { use_peft: true, lora_r: 8, lora_alpha: 2 * Number(all.lora_rank ?? 8), lora_dropout: 0 }
    : {}
