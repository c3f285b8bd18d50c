/** `clha config schema`: the JSON Schema of a config. */
import { configSchema } from '../../../config/schema.js'
import type { Command } from '../../command.js'

export const configSchemaCommand: Command = {
  path: ['config', 'schema'],
  summary: 'print the JSON Schema of a config, for editors',
  examples: ['clha config schema > clha.schema.json'],
  arguments: [],
  flags: [],
  keys: [],
  groups: [],
  unstoppable: true,
  async run({ terminal }) {
    terminal.print(`${JSON.stringify(configSchema(), null, 2)}\n`)
    return {}
  },
}
