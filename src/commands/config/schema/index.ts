/** `clha config schema`: the JSON Schema of a config. */
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
    const { configSchema } = await import('../../../config/schema.js')
    terminal.print(`${JSON.stringify(configSchema(), null, 2)}\n`)
    return {}
  },
}
