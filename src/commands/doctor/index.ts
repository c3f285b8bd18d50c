/** `clha doctor`: what this machine has, what is missing, and how to get it. */
import type { CliCommand } from '../command.js'

export const doctorCommand: CliCommand = {
  path: ['doctor'],
  summary: 'what this machine has, what is missing, and how to get it',
  examples: ['clha doctor', 'clha doctor --json'],
  keys: async () => [],
  define(command) {
    command.option('--json', 'one line of JSON')
  },
  run: async (io, _, { json }) => (await import('./doctor.js')).doctor(io, json === true),
}
