/** `clha config show`: what a config comes to, with its defaults and their meaning. */
import type { SectionName } from '../../config/schema.js'
import { toJsonLine } from '../../show/json-lines.js'
import type { CliCommand } from '../command.js'

export const configShowCommand: CliCommand = {
  path: ['config', 'show'],
  summary: 'print every key with its value, its meaning and who set it',
  examples: ['clha config show', 'clha config show my.yaml --mode legacy', 'clha config show > my.yaml'],
  keys: async () => (await import('../../config/schema.js')).CONFIG_KEYS,
  async define(command) {
    const { SECTIONS } = await import('../../config/schema.js')
    const { addConfigFlags } = await import('../config-flags.js')
    command.argument('[config]', 'YAML config; flags win over it')
    addConfigFlags(command, Object.keys(SECTIONS) as SectionName[])
    command.option('--json', 'the values as one line of JSON')
  },
  async run(io, [file], { json, ...flags }) {
    const { loadConfig } = await import('../../config/load-config.js')
    const { showConfig } = await import('../../config/show.js')
    const config = await loadConfig(file, flags)
    io.stdout.write(json ? toJsonLine({ config: config.values as never }) : `${showConfig(config)}\n`)
    return undefined
  },
}
