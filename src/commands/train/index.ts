/** `clha train`: CLHA or SFT on data whose rewards are known. */
import type { PipelineSpec } from '../command.js'

export const trainSpec: PipelineSpec = {
  path: ['train'],
  summary: 'train a model with CLHA on rescored preferences, or with SFT',
  examples: [
    'clha train my.yaml',
    'clha train my.yaml --learning-rate 5e-7 --max-steps 100',
    'clha train my.yaml --method sft',
    'clha train my.yaml --use-peft --lora-r 16 --learning-rate 2e-4',
    'clha train --resume-from-checkpoint runs/my',
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
    'generate',
    'run',
    'profile',
  ],
  needs: ['train_dataset', ['model_name_or_path', 'model_config']],
}
