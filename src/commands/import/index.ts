/** `clha import`: a GGUF file becomes a model folder. */
import { type Command, JSON_LINES } from '../command.js'

export const importCommand: Command = {
  path: ['import'],
  summary: 'turn a GGUF file into a model folder that can be trained',
  examples: ['clha import model.gguf models/my', 'clha import model.gguf models/my --dtype bfloat16'],
  arguments: [
    ['<file.gguf>', "llama.cpp's file of a model"],
    ['<folder>', 'new folder for config.json, weights, tokenizer and chat template'],
  ],
  flags: [
    {
      flag: '--dtype <type>',
      meaning: 'float32, float16 or bfloat16 (default: as stored; float32 where it is quantised)',
    },
  ],
  keys: [],
  groups: [],
  json: JSON_LINES,
  unstoppable: true,
  async run({ args: [file, folder], flags, ui }) {
    const { importModel } = await import('./import-model.js')
    return { result: await importModel({ ...flags, file, folder }, ui) }
  },
}
