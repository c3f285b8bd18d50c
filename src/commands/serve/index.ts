/** `clha serve`: models behind HTTP. */
import type { PipelineSpec } from '../command.js'

export const serveSpec: PipelineSpec = {
  path: ['serve'],
  summary: "serve a model behind OpenAI's endpoints, a reward model behind /score",
  examples: [
    'clha serve --model-name-or-path runs/my',
    'clha serve --reward-model ./my-reward-model --port 8001',
    'clha serve --model-name-or-path runs/my --host 0.0.0.0 --api-key-env CLHA_API_KEY',
  ],
  sections: ['model', 'generate', 'score', 'serve'],
  needs: [['model_name_or_path', 'reward_model']],
}
