/** `clha generate`: answers to prompts. */
import { pipeline } from '../pipeline.js'

export const generateCommand = pipeline({
  path: ['generate'],
  summary: 'answer prompts with a model',
  examples: [
    'clha generate --model-name-or-path runs/my --prompt "What is the capital of Peru?"',
    'clha generate my.yaml --eval-dataset prompts.jsonl --temperature 0.7 --num-samples 4 --output-file answers.jsonl',
  ],
  sections: ['model', 'data', 'generate', 'prompt'],
  needs: ['model_name_or_path', ['prompt', 'eval_dataset']],
  without: ['train_dataset', 'dev_fraction', 'test_fraction', 'reward_column', 'truncation', 'model_config'],
  first: [
    'model_name_or_path',
    'prompt',
    'eval_dataset',
    'output_file',
    'temperature',
    'num_samples',
    'max_new_tokens',
    'chat_template',
    'dtype',
    'device',
  ],
  load: async () => (await import('./generate.js')).generatePipeline,
})
