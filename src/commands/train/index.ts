/** `clha train`: one method on labels, or on data whose rewards are known. */
import { pipeline } from '../pipeline.js'
import { OF_DRAWN_ANSWERS, TRAIN_SECTIONS } from '../training-sections.js'

export const trainCommand = pipeline({
  path: ['train'],
  summary: 'train a model with CLHA on rescored preferences, or with SFT',
  examples: [
    'clha train my.yaml',
    'clha train my.yaml --learning-rate 5e-7 --max-steps 100',
    'clha train my.yaml --method sft',
    'clha train my.yaml --use-peft --lora-r 16 --learning-rate 2e-4',
    'clha train --resume-from-checkpoint runs/my',
  ],
  sections: TRAIN_SECTIONS,
  needs: ['train_dataset', ['model_name_or_path', 'model_config']],
  without: OF_DRAWN_ANSWERS,
  first: [
    'model_name_or_path',
    'train_dataset',
    'eval_dataset',
    'output_dir',
    'method',
    'reward_model',
    'learning_rate',
    'num_train_epochs',
    'max_length',
    'use_peft',
  ],
  load: async () => (await import('./train.js')).train,
})
