/** `clha export`: a model folder becomes a GGUF file. */
import { type Command, JSON_LINES } from '../command.js'

export const exportCommand: Command = {
  path: ['export'],
  summary: 'write a model as a GGUF file for llama.cpp and Ollama, and check what was written',
  examples: [
    'clha export runs/my --to gguf',
    'clha export models/my --to gguf --type q4_k_m --output ollama',
    'clha export runs/my-lora --to gguf --type f16',
  ],
  arguments: [['<model>', 'model folder, checkpoint, run folder, or folder of an adapter']],
  flags: [
    { flag: '--to <format>', meaning: 'gguf', required: true },
    { flag: '--type <type>', meaning: 'f32, f16, bf16, q8_0 or q4_k_m (default: f16)' },
    { flag: '--output <folder>', meaning: 'folder for file and Modelfile (default: <model>-gguf)' },
    { flag: '--no-check', meaning: 'do not read the file back to compare it with the model' },
  ],
  keys: [],
  groups: [],
  json: JSON_LINES,
  unstoppable: true,
  async run({ args: [model], flags, ui }) {
    const { exportModel } = await import('./export-model.js')
    return { result: await exportModel({ ...flags, model }, ui) }
  },
}
