/** `clha chat`: a talk with a model. */
import type { PipelineSpec } from '../command.js'

export const chatSpec: PipelineSpec = {
  path: ['chat'],
  summary: 'talk with a model',
  examples: ['clha chat --model-name-or-path runs/my --temperature 0.7'],
  sections: ['model', 'generate'],
  needs: ['model_name_or_path'],
}
