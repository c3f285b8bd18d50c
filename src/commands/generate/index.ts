/** `clha generate`: answers to prompts. */
import type { PipelineSpec } from '../command.js'

export const generateSpec: PipelineSpec = {
  path: ['generate'],
  summary: 'answer prompts with a model',
  examples: [
    'clha generate --model-name-or-path runs/my --prompt "What is the capital of Peru?"',
    'clha generate my.yaml --eval-dataset prompts.jsonl --temperature 0.7 --num-samples 4 --output-file answers.jsonl',
  ],
  sections: ['model', 'data', 'generate', 'prompt'],
  needs: ['model_name_or_path', ['prompt', 'eval_dataset']],
}
