/** Titles and keys of the sections, known without loading the schema: help and completion name them at once. */
import type { SectionName } from './schema.js'

export { SECTION_KEYS } from './section-keys.generated.js'

/** How help and `config show` call the sections. */
export const SECTION_TITLES: Record<SectionName, string> = {
  model: 'Model',
  data: 'Data',
  method: 'Method',
  rescore: 'Labels, pairs and gates',
  train: 'Training',
  lora: 'Adapter (LoRA)',
  score: 'Rewards',
  endpoint: 'Reward server',
  rewardTrain: 'Training a reward model',
  sftStart: 'SFT start',
  rounds: 'Rounds',
  generate: 'Generation',
  prompt: 'Prompts and answers',
  augment: 'Further answers',
  evaluate: 'Evaluation',
  judge: 'Judge',
  serve: 'Server',
  run: 'Run folder, logs and checkpoints',
  profile: 'Profile of a training',
  explain: 'Explaining an example',
  merge: 'Merging an adapter',
  quickstart: 'Quickstart',
}
