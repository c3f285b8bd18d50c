/** `clha experiment`: methods, ablations, noise and seeds as one grid. */
import { usageError } from '../../errors.js'
import type { CliCommand } from '../command.js'

export const experimentCommand: CliCommand = {
  path: ['experiment'],
  summary: 'run methods side by side on the same data and seeds, with statistics',
  examples: [
    'clha experiment experiments/smoke.yaml',
    'clha experiment experiments/paper-table.yaml --tune',
    'clha experiment experiments/paper-table.yaml',
  ],
  keys: async () => [],
  define(command) {
    command.argument('<file>', 'YAML file of the experiment')
    command.option('--output-dir <folder>', "folder of the models and tables; unset: runs/<the file's name>")
    command.option('--results <file>', "JSON Lines of finished cells; unset: the experiment's own")
    command.option('--tune', 'find the learning rate of each method first, on development prompts')
    command.option('--json', 'JSON Lines on standard output, text on standard error')
  },
  async run(io, [file], options) {
    if (file === undefined) throw usageError('experiment needs the YAML file of an experiment')
    const { json, ...rest } = options
    const { withUi } = await import('../with-ui.js')
    const { experiment } = await import('./experiment.js')
    return (await withUi(io, { json }, (ui) => experiment({ ...rest, file }, ui))).stopCode
  },
}
