/** `clha chat`: a talk with a model. */
import { pipeline } from '../pipeline.js'

export const chatCommand = pipeline({
  path: ['chat'],
  summary: 'talk with a model',
  examples: ['clha chat --model-name-or-path runs/my --temperature 0.7'],
  sections: ['model', 'generate'],
  needs: ['model_name_or_path'],
  without: ['model_config', 'num_samples', 'eval_batch_size'],
  first: [
    'model_name_or_path',
    'adapter_name_or_path',
    'chat_template',
    'temperature',
    'top_p',
    'max_new_tokens',
    'load_in_4bit',
    'dtype',
    'device',
    'seed',
  ],
  load: async () => (await import('./chat.js')).chatPipeline,
})
