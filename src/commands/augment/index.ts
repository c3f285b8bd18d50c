/** `clha augment`: further answers as candidates. */
import { pipeline } from '../pipeline.js'
import { OF_A_TRAINING, OF_HELD_OUT_DATA } from '../training-sections.js'

export const augmentCommand = pipeline({
  path: ['augment'],
  summary: 'add answers of a model, of a server or of a file to the lists of a data file, and score them',
  examples: [
    'clha augment prefs.jsonl --model-name-or-path ./my-model --num-samples 4 --temperature 1',
    'clha augment prefs.jsonl --generation-endpoint http://127.0.0.1:8000/v1 --generation-endpoint-model qwen --reward-model ./my-reward-model',
    'clha augment prefs.jsonl --answers-file answers.jsonl --output-file lists.jsonl',
  ],
  sections: ['model', 'data', 'generate', 'augment', 'score', 'endpoint', 'prompt', 'run'],
  needs: ['train_dataset', ['model_name_or_path', 'generation_endpoint', 'answers_file']],
  takesData: true,
  without: [...OF_HELD_OUT_DATA, ...OF_A_TRAINING, 'model_config', 'prompt'],
  first: [
    'model_name_or_path',
    'train_dataset',
    'num_samples',
    'temperature',
    'max_new_tokens',
    'reward_model',
    'generation_endpoint',
    'answers_file',
    'output_file',
    'output_dir',
  ],
  load: async () => (await import('./augment.js')).augment,
})
