/** `clha config import`: a config of TRL, LLaMA-Factory or Axolotl becomes one of ours. */
import type { Command } from '../../command.js'

export const configImportCommand: Command = {
  path: ['config', 'import'],
  summary: 'turn a config of TRL, LLaMA-Factory or Axolotl into one of clha',
  examples: [
    'clha config import dpo.yaml',
    'clha config import dpo.yaml --output my.yaml',
    'clha config import dpo.yaml --from axolotl --json',
  ],
  arguments: [['<file>', "the other tool's YAML"]],
  flags: [
    { flag: '--from <tool>', meaning: 'trl, llama-factory, axolotl (default: recognised by its keys)' },
    { flag: '--method <name>', meaning: 'dpo, sft, reward, …, where the keys do not tell it' },
    { flag: '--output <file>', meaning: 'new YAML file (default: standard output)' },
  ],
  keys: [],
  groups: [],
  json: 'one line of JSON: values, and what became of every key',
  unstoppable: true,
  async run({ args: [file], flags, terminal }) {
    const { configImport } = await import('./config-import.js')
    await configImport({ ...flags, file }, terminal)
    return {}
  },
}
