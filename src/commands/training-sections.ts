/** What two commands read alike of the config, and leave out alike: a key that has no effect in a command is no flag of it. */

import type { ConfigKey, SectionName } from '../config/schema.js'
import { runSection } from '../config/sections/run-section.js'
import { METHOD_KEYS } from '../methods/registry.js'

/** Of `clha train` and its plan. */
export const TRAIN_SECTIONS: readonly SectionName[] = [
  'model',
  'data',
  'method',
  'rescore',
  'train',
  'lora',
  'score',
  'endpoint',
  'generate',
  'run',
  'profile',
]

/** Of a training's sample answers, which are greedy and come one by one. */
export const OF_DRAWN_ANSWERS: readonly ConfigKey[] = ['temperature', 'top_k', 'top_p', 'num_samples']

/** Of a command that loads no language model: reward models bring their own tokenizer. */
export const OF_A_LANGUAGE_MODEL: readonly ConfigKey[] = [
  'model_name_or_path',
  'model_revision',
  'adapter_name_or_path',
  'model_config',
  'tokenizer_name_or_path',
  'resize_embeddings',
]

/** Of a command that reads train_dataset as it is. */
export const OF_HELD_OUT_DATA: readonly ConfigKey[] = ['eval_dataset', 'dev_fraction', 'test_fraction']

/** Of a command that trains nothing: it only has an output folder. */
export const OF_A_TRAINING: readonly ConfigKey[] = (Object.keys(runSection) as ConfigKey[]).filter(
  (key) => key !== 'output_dir',
)

/** Of a command that has no development data: every training keeps its last checkpoint. */
export const OF_DEVELOPMENT: readonly ConfigKey[] = [
  'eval_steps',
  'eval_on_start',
  'metric_for_best_model',
  'greater_is_better',
  'load_best_model_at_end',
  'early_stopping_patience',
]

/** Of a command that ranks and explains: what shapes a loss other than CLHA's. */
export const OF_OTHER_METHODS: readonly ConfigKey[] = METHOD_KEYS

/** Of a command that only ranks what it reads: it trains nothing and loads no language model. */
export const OF_MORE_THAN_RANKING: readonly ConfigKey[] = [
  ...OF_A_LANGUAGE_MODEL,
  ...OF_HELD_OUT_DATA,
  ...OF_A_TRAINING,
  ...OF_OTHER_METHODS,
  'margin',
  'margin_scale',
  'sft_weight',
]
