/** `clha doctor`: what this machine has, what is missing, and how to get it. */
import type { Command } from '../command.js'

export const doctorCommand: Command = {
  path: ['doctor'],
  summary: 'what this machine has, what is missing, and how to get it',
  examples: ['clha doctor', 'clha doctor --json'],
  arguments: [],
  flags: [],
  keys: [],
  groups: [],
  json: 'one line of JSON',
  unstoppable: true,
  run: async ({ terminal }) => (await import('./doctor.js')).doctor(terminal),
}
