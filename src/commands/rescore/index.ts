/** `clha rescore`: rewards and labels become pairs, weights and gates; the labels are audited. */
import { pipeline } from '../pipeline.js'
import { OF_MORE_THAN_RANKING } from '../training-sections.js'

export const rescoreCommand = pipeline({
  path: ['rescore'],
  summary: 'score and re-order the answers of a data file, and audit its labels',
  examples: [
    'clha rescore prefs.jsonl --reward-model ./my-reward-model --output-dir rescored',
    'clha rescore my.yaml --label-source agreement',
  ],
  sections: ['model', 'data', 'method', 'rescore', 'score', 'endpoint', 'run'],
  needs: ['train_dataset'],
  takesData: true,
  without: OF_MORE_THAN_RANKING,
  first: [
    'train_dataset',
    'reward_model',
    'reward_endpoint',
    'reward_function',
    'reward_column',
    'label_source',
    'pair_weight',
    'min_confidence',
    'sft_gate',
    'output_dir',
  ],
  load: async () => (await import('./rescore.js')).rescore,
})
