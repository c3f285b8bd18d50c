/** `clha rescore`: rewards and labels become pairs, weights and gates; the labels are audited. */
import type { PipelineSpec } from '../command.js'

export const rescoreSpec: PipelineSpec = {
  path: ['rescore'],
  summary: 'score and re-order the answers of a data file, and audit its labels',
  examples: [
    'clha rescore prefs.jsonl --reward-model ./my-reward-model --output-dir rescored',
    'clha rescore my.yaml --label-source agreement',
  ],
  sections: ['model', 'data', 'method', 'rescore', 'score', 'endpoint', 'run'],
  needs: ['train_dataset'],
  takesData: true,
}
