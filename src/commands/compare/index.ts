/** `clha compare`: systems side by side. */
import { pipeline } from '../pipeline.js'
import { OF_A_LANGUAGE_MODEL, OF_A_TRAINING } from '../training-sections.js'

export const compareCommand = pipeline({
  path: ['compare'],
  summary: 'runs, checkpoints, models or files of answers side by side: who is better, by how much, where',
  examples: [
    'clha compare start.jsonl mine.jsonl --eval-reward-model ./judge --output-dir runs/compared',
    'clha compare ./start runs/a runs/b --eval-dataset test.jsonl --eval-reward-model ./judge',
  ],
  names: ['<systems...>', 'the first is the baseline: run, checkpoint or model folder, or a file of answers'],
  sections: ['model', 'data', 'score', 'endpoint', 'generate', 'evaluate', 'run'],
  needs: [],
  without: [
    ...OF_A_LANGUAGE_MODEL,
    ...OF_A_TRAINING,
    ...([
      'train_dataset',
      'dataset_revision',
      'dev_fraction',
      'test_fraction',
      'baseline',
      'num_samples',
    ] as const),
  ],
  first: [
    'eval_dataset',
    'reward_model',
    'eval_reward_model',
    'reward_endpoint',
    'reward_function',
    'eval_prompts',
    'temperature',
    'max_new_tokens',
    'output_dir',
  ],
  flags: [
    {
      flag: '--verdicts <file>',
      meaning: 'verdicts of people or judges on these systems (clha vote, judge); may be repeated',
      repeatable: true,
    },
  ],
  load: async (own) => (await import('./compare.js')).compareSystems(own),
})
