/** `clha reward train`: a reward model from preferences. */
import { pipeline } from '../pipeline.js'
import { OF_DEVELOPMENT } from '../training-sections.js'

export const rewardTrainCommand = pipeline({
  path: ['reward', 'train'],
  summary: 'train a reward model on preferences, cross-fitted if it is to score the same data',
  examples: ['clha reward train my.yaml', 'clha reward train my.yaml --folds 1 --learning-rate 3e-5'],
  sections: ['model', 'data', 'train', 'lora', 'rewardTrain', 'run', 'profile'],
  needs: ['train_dataset', ['model_name_or_path', 'model_config', 'reward_model_config']],
  // Batches are whole steps, cut by max_tokens_per_batch alone; nothing is evaluated before the end.
  without: [
    ...OF_DEVELOPMENT,
    'eval_generation_steps',
    'guidance',
    'gradient_accumulation_steps',
    'reward_column',
  ],
  short: {
    learning_rate: 'reward_learning_rate',
    num_train_epochs: 'reward_num_train_epochs',
    max_steps: 'reward_max_steps',
    per_device_train_batch_size: 'reward_per_device_train_batch_size',
  },
  first: [
    'model_name_or_path',
    'train_dataset',
    'eval_dataset',
    'output_dir',
    'folds',
    'reward_learning_rate',
    'reward_num_train_epochs',
    'reward_max_steps',
    'reward_per_device_train_batch_size',
    'use_peft',
  ],
  load: async () => (await import('./reward-train.js')).rewardTrain,
})
