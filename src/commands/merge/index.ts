/** `clha merge`: an adapter and its base as one model. */
import { pipeline } from '../pipeline.js'

export const mergeCommand = pipeline({
  path: ['merge'],
  summary: 'merge an adapter (LoRA) into its base model, and check that both say the same',
  examples: [
    'clha merge --model-name-or-path runs/my --export-dir models/my',
    'clha merge --model-name-or-path models/base --adapter-name-or-path models/adapter --export-dir models/my --dtype bfloat16',
  ],
  sections: ['model', 'merge'],
  needs: ['model_name_or_path', 'export_dir'],
  // Weights are merged as they are stored; the base brings its tokenizer.
  without: [
    'model_config',
    'tokenizer_name_or_path',
    'resize_embeddings',
    'chat_template',
    'load_in_8bit',
    'load_in_4bit',
    'seed',
  ],
  load: async () => (await import('./merge.js')).merge,
})
