/** `clha config show`: what a config comes to, with its defaults and their meaning. */
import { loadConfig } from '../../config/load-config.js'
import { CONFIG_KEYS, SECTIONS, type SectionName } from '../../config/schema.js'
import { showConfig } from '../../config/show.js'
import { toJsonLine } from '../../show/json-lines.js'
import type { CliCommand } from '../command.js'
import { addConfigFlags } from '../config-flags.js'

export const configShowCommand: CliCommand = {
  path: ['config', 'show'],
  summary: 'print every key with its value, its meaning and who set it',
  examples: ['clha config show', 'clha config show my.yaml --mode legacy', 'clha config show > my.yaml'],
  keys: CONFIG_KEYS,
  define(command) {
    command.argument('[config]', 'YAML config; flags win over it')
    addConfigFlags(command, Object.keys(SECTIONS) as SectionName[])
    command.option('--json', 'the values as one line of JSON')
  },
  async run(io, [file], { json, ...flags }) {
    const config = await loadConfig(file, flags)
    io.stdout.write(json ? toJsonLine({ config: config.values as never }) : `${showConfig(config)}\n`)
    return undefined
  },
}
