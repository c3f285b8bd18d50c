/** `clha plan`: memory, time and disk of a training before it is started. */
import { DEVICES } from '../../plan/devices.js'
import { pipeline } from '../pipeline.js'
import { OF_DRAWN_ANSWERS, TRAIN_SECTIONS } from '../training-sections.js'

export const planCommand = pipeline({
  path: ['plan'],
  summary: 'what a training will need, before it starts: memory, time, tokens, disk, and what to change',
  examples: [
    'clha plan my.yaml',
    'clha plan my.yaml --gradient-checkpointing true --max-tokens-per-batch 2048',
    'clha plan my.yaml --device h100 --dtype bfloat16',
    'clha plan my.yaml --reward --json',
  ],
  sections: [...TRAIN_SECTIONS, 'rewardTrain'],
  needs: ['train_dataset', ['model_name_or_path', 'model_config']],
  // Otherwise it takes what the trainings take, so that a command line can be planned as it is.
  without: ['device', ...OF_DRAWN_ANSWERS],
  first: [
    'model_name_or_path',
    'train_dataset',
    'max_length',
    'dtype',
    'use_peft',
    'load_in_4bit',
    'max_tokens_per_batch',
    'gradient_checkpointing',
    'per_device_train_batch_size',
    'gradient_accumulation_steps',
  ],
  flags: [
    { flag: '--device <name>', meaning: `for another device: ${Object.keys(DEVICES).join(', ')}` },
    { flag: '--reward', meaning: 'plan clha reward train in place of clha train' },
  ],
  load: async ({ device, reward }: Record<string, unknown>) =>
    (await import('./plan.js')).planPipeline({
      device: device === undefined ? undefined : String(device),
      reward: reward === true,
    }),
})
