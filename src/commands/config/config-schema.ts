/** `clha config schema`: the JSON Schema of a config. */
import type { CliCommand } from '../command.js'

export const configSchemaCommand: CliCommand = {
  path: ['config', 'schema'],
  summary: 'print the JSON Schema of a config, for editors',
  examples: ['clha config schema > clha.schema.json'],
  keys: async () => [],
  define() {},
  async run(io) {
    const { configSchema } = await import('../../config/schema.js')
    io.stdout.write(`${JSON.stringify(configSchema(), null, 2)}\n`)
    return undefined
  },
}
