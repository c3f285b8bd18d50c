/** `clha eval`: compares models on held-out prompts. */
import type { PipelineSpec } from '../command.js'

export const evalSpec: PipelineSpec = {
  path: ['eval'],
  summary: 'compare a model with others on held-out prompts: rewards, wins, lengths, with intervals',
  examples: [
    'clha eval my.yaml',
    'clha eval --model-name-or-path runs/my --baseline ./start --eval-dataset test.jsonl',
  ],
  sections: ['model', 'data', 'score', 'endpoint', 'generate', 'evaluate', 'run'],
  needs: ['model_name_or_path', ['eval_dataset', 'train_dataset']],
}
