/** `clha eval`: compares models on held-out prompts. */
import { pipeline } from '../pipeline.js'
import { OF_A_TRAINING } from '../training-sections.js'

export const evalCommand = pipeline({
  path: ['eval'],
  summary: 'compare a model with others on held-out prompts: rewards, wins, lengths, with intervals',
  examples: [
    'clha eval my.yaml',
    'clha eval --model-name-or-path runs/my --baseline ./start --eval-dataset test.jsonl',
  ],
  sections: ['model', 'data', 'score', 'endpoint', 'generate', 'evaluate', 'run'],
  needs: ['model_name_or_path', ['eval_dataset', 'train_dataset']],
  without: [...OF_A_TRAINING, 'model_config', 'num_samples'],
  first: [
    'model_name_or_path',
    'baseline',
    'eval_dataset',
    'train_dataset',
    'reward_model',
    'eval_reward_model',
    'eval_prompts',
    'temperature',
    'max_new_tokens',
    'output_dir',
  ],
  load: async () => (await import('./eval.js')).evalPipeline,
})
