/** `clha quickstart`: the starter world from start to report. */
import { pipeline } from '../pipeline.js'

export const quickstartCommand = pipeline({
  path: ['quickstart'],
  summary: 'align a small language model on this machine, from nothing to a report',
  examples: ['clha quickstart', 'clha quickstart --seeds 5'],
  sections: ['quickstart', 'model', 'method', 'rescore', 'train', 'rounds', 'run', 'profile'],
  needs: [],
  first: [
    'seeds',
    'output_dir',
    'resume_from_checkpoint',
    'method',
    'mode',
    'learning_rate',
    'num_train_epochs',
    'rounds',
    'seed',
    'device',
  ],
  load: async () => (await import('./quickstart.js')).quickstart,
})
