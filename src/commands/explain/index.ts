/** `clha explain`: one example through the whole method. */
import type { PipelineSpec } from '../command.js'

export const explainSpec: PipelineSpec = {
  path: ['explain'],
  summary: 'show one example through the method, step by step, and what would change it',
  examples: [
    'clha explain runs/my/rescored.jsonl --row 17',
    'clha explain my.yaml --id row-17 --model-name-or-path runs/my',
  ],
  sections: ['explain', 'model', 'data', 'method', 'rescore', 'score', 'endpoint', 'run'],
  needs: ['train_dataset', ['row', 'id']],
  takesData: true,
}
