/** `clha config import`: a config of TRL, LLaMA-Factory or Axolotl becomes one of ours. */
import { usageError } from '../../errors.js'
import type { CliCommand } from '../command.js'

export const configImportCommand: CliCommand = {
  path: ['config', 'import'],
  summary: 'turn a config of TRL, LLaMA-Factory or Axolotl into one of clha',
  examples: [
    'clha config import dpo.yaml',
    'clha config import dpo.yaml --output my.yaml',
    'clha config import dpo.yaml --from axolotl --json',
  ],
  keys: async () => [],
  async define(command) {
    const { TOOL_NAMES } = await import('./import-file.js')
    command.argument('<file>', "the other tool's YAML")
    command.option('--from <tool>', `${TOOL_NAMES} (default: recognised by its keys)`)
    command.option('--method <name>', 'dpo, sft, reward, …, where the keys do not tell it')
    command.option('--output <file>', 'new YAML file (default: standard output)')
    command.option('--json', 'one line of JSON: values, and what became of every key')
  },
  async run(io, [file], options) {
    if (file === undefined) throw usageError('config import needs a file')
    const { importFile } = await import('./import-file.js')
    await importFile(io, file, options)
    return undefined
  },
}
