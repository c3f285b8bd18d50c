/** `clha config import`: a config of TRL, LLaMA-Factory or Axolotl becomes one of ours. */
import { existsSync, writeFileSync } from 'node:fs'
import { importConfig, TOOLS, type Tool, toolOf } from '../../config/import/import.js'
import { importedYaml } from '../../config/import/write.js'
import { readSource } from '../../config/source.js'
import { usageError } from '../../errors.js'
import { toJsonLine } from '../../show/json-lines.js'
import type { CliCommand } from '../command.js'

export const configImportCommand: CliCommand = {
  path: ['config', 'import'],
  summary: 'turn a config of TRL, LLaMA-Factory or Axolotl into one of clha',
  examples: [
    'clha config import dpo.yaml',
    'clha config import dpo.yaml --output my.yaml',
    'clha config import dpo.yaml --from axolotl --json',
  ],
  keys: [],
  define(command) {
    command.argument('<file>', "the other tool's YAML")
    command.option('--from <tool>', `${TOOLS.join(', ')} (default: recognised by its keys)`)
    command.option('--method <name>', 'dpo, sft, reward, …, where the keys do not tell it')
    command.option('--output <file>', 'new YAML file (default: standard output)')
    command.option('--json', 'one line of JSON: values, and what became of every key')
  },
  async run(io, [file], { from, method, output, json }) {
    if (file === undefined) throw usageError('config import needs a file')
    const source = await readSource(file)
    if (source.issues.length > 0)
      throw usageError(source.issues.map((i) => `${i.where}  ${i.text}`).join('\n'))
    const tool = from === undefined ? toolOf(source.values, file) : toolNamed(from)
    const imported = importConfig(source.values, tool, method === undefined ? undefined : String(method))
    const yaml = importedYaml(imported, file)
    if (typeof output === 'string') {
      if (existsSync(output))
        throw usageError(`${output}: is there already`, 'choose another file, or remove it')
      writeFileSync(output, yaml)
    }
    if (json) io.stdout.write(toJsonLine({ import: { ...imported, output } as never }))
    else if (output === undefined) io.stdout.write(yaml)
    if (!json && output !== undefined) {
      const { mapped, missing, dropped } = imported
      const counts = `${mapped.length} keys taken, ${missing.length} without equivalent, ${dropped.length} not needed`
      io.stdout.write(`${output}: ${counts}; each is listed in it\n`)
    }
    return undefined
  },
}

function toolNamed(from: unknown): Tool {
  const found = TOOLS.find((tool) => tool === String(from).toLowerCase())
  if (found !== undefined) return found
  throw usageError(`--from ${from}: no such tool`, `it is one of ${TOOLS.join(', ')}`)
}
