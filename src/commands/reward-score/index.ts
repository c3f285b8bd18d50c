/** `clha reward score`: rewards for answers. */
import type { PipelineSpec } from '../command.js'

export const rewardScoreSpec: PipelineSpec = {
  path: ['reward', 'score'],
  summary: 'score the answers of a data file with a reward model or a reward server',
  examples: [
    'clha reward score prefs.jsonl --reward-model ./my-reward-model --output-file scored.jsonl',
    'clha reward score prefs.jsonl --reward-endpoint http://127.0.0.1:8000/score --output-file scored.jsonl',
  ],
  sections: ['model', 'data', 'score', 'endpoint', 'prompt', 'run'],
  needs: ['train_dataset', ['reward_model', 'reward_endpoint']],
  takesData: true,
}
