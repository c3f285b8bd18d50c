/** A config of TRL, LLaMA-Factory or Axolotl as one of ours, with an account of every key. */
import { usageError } from '../../errors.js'
import { idleUnder } from '../../methods/registry.js'
import { conflicts } from '../conflicts.js'
import { withDefaults } from '../defaults.js'
import { foreignAdvice, foreignName } from '../foreign-keys.js'
import { checkValue } from '../issues.js'
import { idleReason } from '../rules.js'
import { type ConfigKey, configZod, isConfigKey } from '../schema.js'
import { AXOLOTL, axolotlDefaults, axolotlMethod } from './axolotl.js'
import { factoryAdapter, factoryDefaults, factoryMethod, LLAMA_FACTORY } from './llama-factory.js'
import type { Outcome, RuleTable, Values } from './rule.js'
import { TRL, trlDefaults, trlMethod } from './trl.js'

export const TOOLS = ['trl', 'llama-factory', 'axolotl'] as const
export type Tool = (typeof TOOLS)[number]

export interface Imported {
  tool: Tool
  /** The command that the config is for, such as `train`. */
  command: string
  /** In our names; passes `loadConfig`. */
  values: Values
  /** Their keys and what they became. */
  mapped: { key: string; to: string; value: unknown }[]
  /** What the other tool does in silence and is now written out. */
  assumed: { key: string; value: unknown }[]
  /** Keys that have no equivalent. */
  missing: { key: string; value: unknown; reason: string }[]
  /** Keys that are not needed. */
  dropped: { key: string; value: unknown; reason: string }[]
}

interface ToolOf {
  table: RuleTable
  method(all: Values): string | undefined
  defaults(method: string | undefined, all: Values): Values
}

const OF: Record<Tool, ToolOf> = {
  trl: { table: TRL, method: trlMethod, defaults: trlDefaults },
  'llama-factory': {
    table: LLAMA_FACTORY,
    method: factoryMethod,
    defaults: (method, all) => ({ ...factoryDefaults(method), ...factoryAdapter(all) }),
  },
  axolotl: { table: AXOLOTL, method: axolotlMethod, defaults: axolotlDefaults },
}

/** Keys that only one tool has. */
const SIGNS: Record<Tool, RegExp> = {
  axolotl:
    /^(base_model|micro_batch_size|sequence_len|val_set_size|num_epochs|lora_target_linear|sample_packing|rl|datasets_prepared_path|optimizer|lr_scheduler)$/,
  'llama-factory':
    /^(stage|finetuning_type|template|cutoff_len|dataset|dataset_dir|pref_beta|pref_loss|lora_target|lora_rank|val_size|plot_loss)$/,
  trl: /^(dataset_name|dataset_train_split|loss_type|use_peft|lora_r|max_length|max_prompt_length|beta|eval_strategy|attn_implementation|torch_dtype|packing)$/,
}

/** @throws ClhaError (exit 2) when the keys are of no tool, or of two */
export function toolOf(all: Values, file: string): Tool {
  const scores = TOOLS.map((tool) => Object.keys(all).filter((key) => SIGNS[tool].test(key)).length)
  const best = Math.max(...scores)
  const found = TOOLS.filter((_, i) => scores[i] === best)
  // Plain training arguments are TRL's: it has no key that every file of it needs.
  if (best > 0 && found.length === 1) return found[0]
  if (best === 0 && 'model_name_or_path' in all && !Object.keys(all).every(isConfigKey)) return 'trl'
  const seen = best === 0 ? 'no key of TRL, LLaMA-Factory or Axolotl' : `keys of ${found.join(' and ')}`
  throw usageError(`${file}: ${seen}`, `say whose it is: --from ${TOOLS.join('|')}`)
}

/**
 * @param all   the keys of the other tool's file
 * @param tool  whose they are
 * @param known the kind of training (a method, or `reward`), where the keys do not tell it
 */
export function importConfig(all: Values, tool: Tool, known?: string): Imported {
  const { table, method: methodOf, defaults } = OF[tool]
  const imported: Imported = {
    tool,
    command: 'train',
    values: {},
    mapped: [],
    assumed: [],
    missing: [],
    dropped: [],
  }
  for (const [key, value] of Object.entries(all))
    take(imported, key, value, outcomeOf(table, key, value, all))
  const method = known ?? methodOf(all)
  chooseMethod(imported, method)
  for (const [key, value] of Object.entries(defaults(method, all))) {
    if (key in imported.values || !isConfigKey(key)) continue
    imported.values[key] = value
    imported.assumed.push({ key, value })
  }
  settle(imported)
  return imported
}

function outcomeOf(table: RuleTable, key: string, value: unknown, all: Values): Outcome {
  if (Object.hasOwn(table, key)) return table[key](value, all)
  if (value === null) return { drop: 'not set' }
  if (isConfigKey(key)) return { set: { [key]: value } }
  const name = foreignName(key)
  if (name !== undefined) {
    if (name.value === undefined) return { set: { [name.key]: value } }
    return value ? { set: { [name.key]: name.value } } : { drop: 'its default' }
  }
  if (value === false) return { drop: 'off' }
  return { miss: foreignAdvice(key) ?? 'clha has no such key' }
}

function take(imported: Imported, key: string, value: unknown, outcome: Outcome): void {
  const { set = {}, drop, miss } = outcome
  if (miss !== undefined) imported.missing.push({ key, value, reason: miss })
  if (drop !== undefined) imported.dropped.push({ key, value, reason: drop })
  for (const [name, given] of Object.entries(set)) {
    const why = isConfigKey(name) ? checkValue(name, given)[0]?.text : `clha has no key ${name}`
    if (why !== undefined) imported.missing.push({ key, value, reason: why })
    else {
      imported.values[name] = given
      imported.mapped.push({ key, to: name, value: given })
    }
  }
}

const CLHA = 'CLHA, which needs rewards (clha align, or clha rescore first)'

/** A reward model has a command of its own; a method that is not here leaves CLHA, and says so. */
function chooseMethod(imported: Imported, method: string | undefined): void {
  if (method === 'reward') {
    imported.command = 'reward train'
    return
  }
  if (method === undefined) {
    const reason = `no key tells it, so this config trains with ${CLHA}; say it with --method dpo, sft, orpo and the like`
    imported.missing.unshift({ key: 'the kind of training', value: null, reason })
    return
  }
  if (checkValue('method', method).length === 0) {
    imported.values = { method, ...imported.values }
    imported.mapped.unshift({ key: 'the kind of training', to: 'method', value: method })
    return
  }
  const reason = `no such method here: this config trains with ${CLHA}`
  imported.missing.unshift({ key: 'the kind of training', value: method, reason })
  imported.command = 'align'
}

/** Our keys for a reward model's training have names of their own. */
const REWARD_NAMES: Record<string, string> = {
  learning_rate: 'reward_learning_rate',
  num_train_epochs: 'reward_num_train_epochs',
  max_steps: 'reward_max_steps',
}

/** Takes out what has no effect beside the other keys, until nothing of that kind is left. */
function settle(imported: Imported): void {
  if (imported.command === 'reward train') rename(imported)
  for (let round = 0; round < 100; round++) {
    const { values } = withDefaults(configZod.partial().parse(imported.values), 'imported.yaml')
    const given = (key: ConfigKey) => key in imported.values
    const idle = (Object.keys(imported.values) as ConfigKey[])
      .map((key): [ConfigKey, string | undefined] => [key, idleReason(key, values, given)])
      .find(([, reason]) => reason !== undefined)
    const [key, reason = ''] = idle ?? conflicts(values).find(([name]) => given(name)) ?? []
    if (key === undefined) return
    // What acts there and can't here is a loss; a setting that another one overrides, or that is switched off, is none.
    remove(imported, key, reason, !idle || idleUnder(key, values) !== undefined ? 'missing' : 'dropped')
  }
}

function remove(imported: Imported, key: string, reason: string, to: 'missing' | 'dropped'): void {
  const { [key]: _, ...rest } = imported.values
  imported.values = rest
  imported.assumed = imported.assumed.filter((entry) => entry.key !== key)
  const lost = imported.mapped.filter((entry) => entry.to === key)
  imported.mapped = imported.mapped.filter((entry) => entry.to !== key)
  for (const { key: theirs, value } of lost) imported[to].push({ key: theirs, value, reason })
}

/** All batches of a reward model's step are one number here. */
function rename(imported: Imported): void {
  const { values } = imported
  const batch =
    Number(values.per_device_train_batch_size ?? 8) * Number(values.gradient_accumulation_steps ?? 1)
  const names = { ...REWARD_NAMES, per_device_train_batch_size: 'reward_per_device_train_batch_size' }
  const theirs = new Set(imported.mapped.map((entry) => entry.to))
  imported.values = { ...values, folds: 1 }
  for (const [from, to] of Object.entries(names)) {
    if (!(from in values)) continue
    const value = to === 'reward_per_device_train_batch_size' ? batch : values[from]
    delete imported.values[from]
    imported.values[to] = value
    const entry = imported.mapped.find((mapped) => mapped.to === from)
    if (entry) Object.assign(entry, { to, value })
  }
  delete imported.values.gradient_accumulation_steps
  imported.assumed = imported.assumed.flatMap((entry) => {
    const key = names[entry.key as keyof typeof names] ?? entry.key
    return key in imported.values ? [{ key, value: imported.values[key] }] : []
  })
  imported.mapped = imported.mapped.map((entry) =>
    entry.to === 'gradient_accumulation_steps'
      ? { ...entry, to: names.per_device_train_batch_size, value: batch }
      : entry,
  )
  if (!theirs.has('folds')) imported.assumed.push({ key: 'folds', value: 1 })
}
