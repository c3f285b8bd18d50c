/** TRL: the YAML that `trl dpo --config` and the example scripts take. */
import { joinDatasets, type Named, namedEntries } from './datasets.js'
import { peftTargets } from './peft-targets.js'
import {
  drop,
  each,
  list,
  miss,
  type Rule,
  type RuleTable,
  to,
  unlessOff,
  type Values,
  whenOn,
} from './rule.js'
import { TRAINING_ARGUMENTS, TRAINING_DEFAULTS } from './training-arguments.js'

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)

const namedOf = (all: Values, split: unknown): Named[] => [
  { path: String(all.dataset_name), split: text(split), config: text(all.dataset_config) },
]

/** The test split is used only where an evaluation is asked for. */
const evaluates = (all: Values) =>
  !['no', 'none', undefined, false].includes((all.eval_strategy ?? all.evaluation_strategy) as string)

const dataset: Rule = (_, all) => {
  const train = joinDatasets('train_dataset', namedOf(all, all.dataset_train_split), 'train')
  if (!evaluates(all)) return train
  const test = joinDatasets('eval_dataset', namedOf(all, all.dataset_test_split ?? 'test'), 'test')
  return { ...train, set: { ...train.set, ...test.set } }
}

/** A mixture: a list of `{path, name, split, data_files}`. */
const mixture: Rule = (value) => joinDatasets('train_dataset', namedEntries(value), 'train')

/** What kind of training the keys speak of: TRL's files do not say it. */
export function trlMethod(all: Values): string | undefined {
  const has = (...names: string[]) => names.some((name) => name in all)
  const loss = String(list(all.loss_type)[0] ?? '')
  if (has('center_rewards_coefficient')) return 'reward'
  if (has('desirable_weight', 'undesirable_weight') || ['kto', 'apo_zero_unpaired'].includes(loss))
    return 'kto'
  if (loss === 'simpo') return 'simpo'
  if (has('cpo_alpha', 'simpo_gamma')) return 'cpo'
  if (['nll', 'dft'].includes(loss)) return 'sft'
  if (loss !== '') return 'dpo'
  if (has('beta', 'rpo_alpha', 'label_smoothing', 'precompute_ref_log_probs')) return 'dpo'
  if (has('packing', 'dataset_text_field', 'completion_only_loss', 'assistant_only_loss')) return 'sft'
  return undefined
}

/** Losses have TRL's names here; those that are methods of their own are told by `method`. */
const loss: Rule = (value) => {
  const [first, ...more] = list(value).map(String)
  if (more.length > 0) return { set: { loss_type: [first, ...more] } }
  if (['simpo', 'nll'].includes(first)) return { drop: 'method says it' }
  return { set: { loss_type: first } }
}

/** SimPO is CPO's trainer with another loss: its likelihood term stays, a mean over tokens as `sft_weight` is. */
export const cpoAlpha =
  (isSimpo: (all: Values) => boolean): Rule =>
  (value, all) => {
    if (value === null) return { drop: 'its default' }
    return { set: { [isSimpo(all) ? 'sft_weight' : 'cpo_alpha']: value } }
  }

/** Without `lora_target_modules` PEFT chooses by the family. */
const peft: Rule = (value, all) => {
  if (!value) return { drop: 'its default' }
  if (list(all.lora_target_modules ?? []).length > 0) return { set: { use_peft: true } }
  const targets = peftTargets(String(all.model_name_or_path))
  if (targets) return { set: { use_peft: true, lora_target_modules: targets } }
  return {
    set: { use_peft: true },
    miss: 'without lora_target_modules PEFT chooses by the family, for most q_proj and v_proj; here it would be all-linear: set lora_target_modules',
  }
}

export const TRL: RuleTable = {
  ...TRAINING_ARGUMENTS,
  ...each('dataset_name', dataset),
  ...each('dataset_train_split dataset_test_split dataset_config', drop('part of the name of the data')),
  ...each('datasets', mixture),
  ...each('dataset_streaming streaming', drop('files are read as they are needed')),
  ...each('loss_type', loss),
  loss_weights: (value, all) =>
    list(all.loss_type).length > 1
      ? whenOn(to('loss_weights'))(value, all)
      : unlessOff('not computed here')(value, all),
  use_weighting: whenOn(to('use_weighting')),
  // 0 is a value of its own: tokens beyond the shared length do not count at all
  ld_alpha: (value, all) => (value === null ? drop('its default') : to('ld_alpha'))(value, all),
  ...each('rpo_alpha', whenOn(to('sft_weight'))),
  cpo_alpha: cpoAlpha((all) => list(all.loss_type)[0] === 'simpo'),
  use_peft: peft,
  ...each(
    'packing padding_free packing_strategy eval_packing',
    drop('every batch is one packed stream without padding'),
  ),
  ...each(
    'precompute_ref_log_probs precompute_ref_batch_size',
    drop('how the reference is computed; results do not depend on it'),
  ),
  ...each('assistant_only_loss completion_only_loss', whenOn(drop('the loss is on answers only'))),
  ...each('dataset_text_field', drop('columns are recognised by themselves')),
  ...each('max_completion_length', miss('max_length bounds prompt and answer together')),
  ...each(
    'truncation_mode',
    unlessOff('a prompt that is too long loses its beginning', 'keep_end', 'keep_start'),
  ),
  ...each('disable_dropout', unlessOff('dropout of the model is never on in preference training', true)),
  ...each(
    'ref_model_mixup_alpha ref_model_sync_steps sync_ref_model reference_free ref_model_init_kwargs model_init_kwargs',
    unlessOff('not computed here'),
  ),
  ...each('generate_during_eval', whenOn(miss('eval_generation_steps: number of steps'))),
  ...each('lora_task_type', drop('the model says it')),
  bnb_4bit_quant_type: (value) => (value === 'nf4' ? { drop: 'its default' } : { miss: '4 bits are NF4' }),
  use_bnb_nested_quant: drop('scales of weights in 4 bits are kept in bfloat16'),
  max_length: (value, all) =>
    value === null
      ? {
          miss: 'no limit there; here the default of max_length holds: set it to the tokens of the longest example',
        }
      : to('max_length')(value, all),
  max_prompt_length: whenOn(to('max_prompt_length')),
  chat_template_path: to('chat_template'),
  center_rewards_coefficient: to('center_rewards_coefficient', (value) => value ?? 0),
  lora_target_modules: (value) =>
    list(value ?? []).length === 0 ? { drop: 'its default' } : { set: { lora_target_modules: value } },
  lora_modules_to_save: whenOn(to('modules_to_save')),
}

const LEARNING_RATES: Record<string, number> = { sft: 2e-5, reward: 1e-4, kto: 1e-6 }

/** What TRL does where a file is silent. */
export const trlDefaults = (method: string | undefined, all: Values): Values => ({
  ...TRAINING_DEFAULTS,
  ...lossDefaults(method),
  learning_rate: method === undefined ? 1e-6 : (LEARNING_RATES[method] ?? 1e-6),
  ...(all.max_length !== null && { max_length: 1024 }),
  ...anchorDefaults(method),
})

const ANCHORS: Record<string, Values> = { simpo: { sft_weight: 1 } }

/** TRL's `cpo_alpha` where a file is silent. */
export const anchorDefaults = (method = ''): Values => ANCHORS[method] ?? {}

const CONSTANTS: Record<string, Values> = { sft: {}, reward: {}, simpo: { beta: 0.1, simpo_gamma: 0.5 } }

/** Constants of the losses, as TRL has them; the other tools call TRL. */
export const lossDefaults = (method: string | undefined): Values =>
  method === undefined ? {} : (CONSTANTS[method] ?? { beta: 0.1 })
