/** `clha reward score`: rewards for answers. */
import type { PipelineSpec } from './command.js'

export const rewardScoreSpec: PipelineSpec = {
  path: ['reward', 'score'],
  summary: 'score the answers of a data file with a reward model',
  examples: ['clha reward score prefs.jsonl --reward-model ./my-reward-model --output-file scored.jsonl'],
  sections: ['model', 'data', 'score', 'prompt', 'run'],
  needs: ['train_dataset', 'reward_model'],
  takesData: true,
}
