/** `clha align`: the whole way from preferences to a better model. */
import { pipeline } from '../pipeline.js'
import { OF_DEVELOPMENT } from '../training-sections.js'

export const alignCommand = pipeline({
  path: ['align'],
  summary: 'from preferences to an aligned, evaluated model: SFT start, rewards, rescoring, CLHA, report',
  examples: [
    'clha align recipes/own-pairs.yaml',
    'clha align recipes/own-pairs.yaml --margin 0.5 --output-dir runs/narrow',
    'clha align --model-name-or-path ./my-model --train-dataset prefs.jsonl',
  ],
  sections: [
    'model',
    'data',
    'method',
    'rescore',
    'train',
    'lora',
    'score',
    'endpoint',
    'rewardTrain',
    'sftStart',
    'rounds',
    'generate',
    'evaluate',
    'run',
    'profile',
  ],
  needs: ['train_dataset', ['model_name_or_path', 'model_config']],
  // Stages keep one checkpoint each; prompts are answered once in an evaluation.
  without: [...OF_DEVELOPMENT, 'dev_fraction', 'save_total_limit', 'num_samples'],
  first: [
    'model_name_or_path',
    'train_dataset',
    'eval_dataset',
    'reward_model',
    'output_dir',
    'learning_rate',
    'num_train_epochs',
    'max_length',
    'use_peft',
    'device',
  ],
  load: async () => (await import('./align.js')).align,
})
