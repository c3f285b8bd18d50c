/** `clha runs`: which runs there are, how they stand, and in what they differ. */
import type { Command } from '../command.js'

export const runsCommand: Command = {
  path: ['runs'],
  summary: 'list runs, and compare their settings and figures',
  examples: ['clha runs', 'clha runs runs/quickstart', 'clha runs --compare runs/a runs/b'],
  arguments: [['[folders...]', 'folders of runs, or folders with runs somewhere below (default: runs)']],
  flags: [
    { flag: '--compare', meaning: 'in which settings, data and figures the runs differ, side by side' },
  ],
  keys: [],
  groups: [],
  json: 'one line of JSON',
  unstoppable: true,
  run: async (call) => (await import('./runs.js')).runs(call),
}
