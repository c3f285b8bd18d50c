/** `clha try-rescoring`: whether rescoring will help, known beforehand. */
import { pipeline } from '../pipeline.js'
import { OF_MORE_THAN_RANKING } from '../training-sections.js'

export const tryRescoringCommand = pipeline({
  path: ['try-rescoring'],
  summary: 'reverse labels that you believe on purpose, and see what rescoring makes of them',
  examples: [
    'clha try-rescoring scored.jsonl --output-dir trials',
    'clha try-rescoring scored.jsonl --reward-column judge_a --reward-column judge_b --output-dir trials',
  ],
  sections: ['model', 'data', 'method', 'rescore', 'score', 'endpoint', 'run'],
  needs: ['train_dataset'],
  takesData: true,
  without: [...OF_MORE_THAN_RANKING, 'relabels', 'reward_threshold'],
  first: [
    'train_dataset',
    'reward_column',
    'reward_model',
    'reward_endpoint',
    'reward_function',
    'label_source',
    'min_confidence',
    'score_cache_dir',
    'output_dir',
  ],
  flags: [{ flag: '--repeats <n>', meaning: 'reversals at each level, 1 to 100 (default: 4)' }],
  load: async (own) => (await import('./try-rescoring.js')).tryRescoring(own),
})
