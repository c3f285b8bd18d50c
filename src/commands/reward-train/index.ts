/** `clha reward train`: a reward model from preferences. */
import type { PipelineSpec } from '../command.js'

export const rewardTrainSpec: PipelineSpec = {
  path: ['reward', 'train'],
  summary: 'train a reward model on preferences, cross-fitted if it is to score the same data',
  examples: ['clha reward train my.yaml', 'clha reward train my.yaml --folds 1 --reward-learning-rate 3e-5'],
  sections: ['model', 'data', 'train', 'lora', 'rewardTrain', 'run', 'profile'],
  needs: ['train_dataset', ['model_name_or_path', 'model_config', 'reward_model_config']],
}
