/** `clha quickstart`: the starter world from start to report. */
import { pipeline } from '../pipeline.js'
import { OF_DEVELOPMENT } from '../training-sections.js'

export const quickstartCommand = pipeline({
  path: ['quickstart'],
  summary: 'align a small language model on this machine, from nothing to a report',
  examples: ['clha quickstart', 'clha quickstart --seeds 5', 'clha quickstart --real'],
  sections: ['quickstart', 'model', 'method', 'rescore', 'train', 'rounds', 'run', 'profile'],
  needs: [],
  // Model, tokenizer and data are made here.
  without: [
    ...OF_DEVELOPMENT,
    'model_name_or_path',
    'model_revision',
    'adapter_name_or_path',
    'tokenizer_name_or_path',
    'resize_embeddings',
    'load_in_8bit',
    'load_in_4bit',
    'save_total_limit',
  ],
  first: [
    'real',
    'seeds',
    'output_dir',
    'resume_from_checkpoint',
    'method',
    'learning_rate',
    'num_train_epochs',
    'rounds',
    'seed',
    'device',
  ],
  greeting: 'clha quickstart · aligns a small language model on this machine, nothing leaves it\n',
  load: async () => (await import('./quickstart.js')).quickstart,
})
