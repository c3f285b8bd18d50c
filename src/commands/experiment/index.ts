/** `clha experiment`: methods, ablations, noise and seeds as one grid. */
import { type Command, JSON_LINES } from '../command.js'

export const experimentCommand: Command = {
  path: ['experiment'],
  summary: 'run methods side by side on the same data and seeds, with statistics',
  examples: [
    'clha experiment experiments/smoke.yaml',
    'clha experiment experiments/paper-table.yaml --tune',
    'clha experiment experiments/paper-table.yaml',
  ],
  arguments: [['<file>', 'YAML file of the experiment']],
  flags: [
    {
      flag: '--output-dir <folder>',
      meaning: "folder of the models and tables; unset: runs/<the file's name>",
    },
    {
      flag: '--results <file>',
      meaning: "JSON Lines of finished cells; unset: the experiment's own",
    },
    { flag: '--tune', meaning: 'find the learning rate of each method first, on development prompts' },
  ],
  keys: [],
  groups: [],
  json: JSON_LINES,
  async run({ args: [file], flags, ui }) {
    const { experiment } = await import('./experiment.js')
    return { result: await experiment({ ...flags, file }, ui) }
  },
}
