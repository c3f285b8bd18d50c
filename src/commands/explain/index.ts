/** `clha explain`: one example through the whole method. */
import { pipeline } from '../pipeline.js'
import { OF_A_TRAINING, OF_HELD_OUT_DATA, OF_OTHER_METHODS } from '../training-sections.js'

export const explainCommand = pipeline({
  path: ['explain'],
  summary: 'show one example through the method, step by step, and what would change it',
  examples: [
    'clha explain runs/my/rescored.jsonl --row 17',
    'clha explain my.yaml --id row-17 --model-name-or-path runs/my',
  ],
  sections: ['explain', 'model', 'data', 'method', 'rescore', 'score', 'endpoint', 'run'],
  needs: ['train_dataset', ['row', 'id']],
  takesData: true,
  without: [...OF_HELD_OUT_DATA, ...OF_A_TRAINING, ...OF_OTHER_METHODS, 'method', 'model_config'],
  first: [
    'row',
    'id',
    'train_dataset',
    'model_name_or_path',
    'reward_model',
    'label_source',
    'min_confidence',
    'reward_temperature',
    'label_error',
    'output_dir',
  ],
  load: async () => (await import('./explain.js')).explain,
})
