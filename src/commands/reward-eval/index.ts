/** `clha reward eval`: what a reward model is worth. */
import { pipeline } from '../pipeline.js'
import { OF_A_LANGUAGE_MODEL, OF_A_TRAINING, OF_HELD_OUT_DATA } from '../training-sections.js'

export const rewardEvalCommand = pipeline({
  path: ['reward', 'eval'],
  summary:
    'hold a reward model against labels: accuracy by category, calibration, RewardBench 1 and 2, RM-Bench',
  examples: [
    'clha reward eval test.jsonl --reward-model ./my-reward-model --output-dir runs/reward-eval',
    'clha reward eval reward-bench.parquet --reward-endpoint http://127.0.0.1:8000/score --output-dir bench',
  ],
  sections: ['model', 'data', 'score', 'endpoint', 'run'],
  needs: ['train_dataset', ['reward_model', 'reward_endpoint', 'reward_function', 'reward_column']],
  takesData: true,
  without: [...OF_A_LANGUAGE_MODEL, ...OF_HELD_OUT_DATA, ...OF_A_TRAINING, 'output_file'],
  first: [
    'train_dataset',
    'reward_model',
    'reward_endpoint',
    'reward_function',
    'reward_column',
    'reward_format',
    'max_length',
    'dataset_format',
    'output_dir',
    'device',
  ],
  flags: [
    {
      flag: '--benchmark <name>',
      meaning: 'pairs, best_of_n, reward_bench, reward_bench_2, rm_bench (default: by subsets and answers)',
    },
  ],
  load: async (own) => (await import('./reward-eval.js')).rewardEval(own),
})
