/** `clha serve`: models behind HTTP. */
import { pipeline } from '../pipeline.js'

export const serveCommand = pipeline({
  path: ['serve'],
  summary: "serve a model behind OpenAI's endpoints, a reward model behind /score",
  examples: [
    'clha serve --model-name-or-path runs/my',
    'clha serve --reward-model ./my-reward-model --port 8001',
    'clha serve --model-name-or-path runs/my --host 0.0.0.0 --api-key-env CLHA_API_KEY',
  ],
  sections: ['model', 'generate', 'score', 'serve'],
  needs: [['model_name_or_path', 'reward_model']],
  without: ['model_config', 'reward_function'],
  first: [
    'model_name_or_path',
    'reward_model',
    'adapter_name_or_path',
    'host',
    'port',
    'api_key_env',
    'max_model_len',
    'load_in_4bit',
    'dtype',
    'device',
  ],
  load: async () => (await import('./serve.js')).serve,
})
