/** `clha push`: a model to the hub. */
import { usageError } from '../../errors.js'
import type { CliCommand } from '../command.js'

export const pushCommand: CliCommand = {
  path: ['push'],
  summary: 'send a model with a model card to the Hugging Face hub',
  examples: [
    'clha push runs/my org/name --dry-run',
    'clha push runs/my/clha org/name --private --license apache-2.0',
    'clha push runs/my/checkpoint-100 org/name --revision step-100 --card card.md',
  ],
  keys: async () => [],
  define(command) {
    command.argument(
      '<run-or-checkpoint>',
      'run folder (then its best checkpoint), checkpoint or model folder',
    )
    command.argument('<org/name>', 'repository; made when it is not there')
    command.option('--private', 'a repository that is made is private')
    command.option('--revision <branch>', 'branch; made when it is not there (default: main)')
    command.option('--license <id>', 'license for the card, such as apache-2.0')
    command.option('--card <file>', 'a model card of your own')
    command.option('--dry-run', 'send nothing: list the files and write the card')
    command.option('--json', 'JSON Lines on standard output, text on standard error')
  },
  async run(io, [from, to], options) {
    if (from === undefined || to === undefined) throw usageError('push needs a model and a name on the hub')
    const { withUi } = await import('../with-ui.js')
    const { push } = await import('./push.js')
    await withUi(io, { json: options.json, unstoppable: true }, (ui) => push({ ...options, from, to }, ui))
    return undefined
  },
}
