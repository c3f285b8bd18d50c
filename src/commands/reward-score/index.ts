/** `clha reward score`: rewards for answers. */
import { pipeline } from '../pipeline.js'
import { OF_A_LANGUAGE_MODEL, OF_A_TRAINING, OF_HELD_OUT_DATA } from '../training-sections.js'

export const rewardScoreCommand = pipeline({
  path: ['reward', 'score'],
  summary: 'score the answers of a data file with a reward model or a reward server',
  examples: [
    'clha reward score prefs.jsonl --reward-model ./my-reward-model --output-file scored.jsonl',
    'clha reward score prefs.jsonl --reward-endpoint http://127.0.0.1:8000/score --output-file scored.jsonl',
  ],
  sections: ['model', 'data', 'score', 'endpoint', 'prompt', 'run'],
  needs: ['train_dataset', ['reward_model', 'reward_endpoint', 'reward_function']],
  takesData: true,
  without: [...OF_A_LANGUAGE_MODEL, ...OF_HELD_OUT_DATA, ...OF_A_TRAINING, 'reward_column', 'prompt'],
  first: [
    'train_dataset',
    'reward_model',
    'reward_endpoint',
    'reward_function',
    'reward_format',
    'max_length',
    'dataset_format',
    'output_file',
    'dtype',
    'device',
  ],
  load: async () => (await import('./reward-score.js')).rewardScore,
})
