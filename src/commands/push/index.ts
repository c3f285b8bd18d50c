/** `clha push`: a model to the hub. */
import { type Command, JSON_LINES } from '../command.js'

export const pushCommand: Command = {
  path: ['push'],
  summary: 'send a model with a model card to the Hugging Face hub',
  examples: [
    'clha push runs/my org/name --dry-run',
    'clha push runs/my/clha org/name --private --license apache-2.0',
    'clha push runs/my/checkpoint-100 org/name --revision step-100 --card card.md',
  ],
  arguments: [
    ['<run-or-checkpoint>', 'run folder (then its best checkpoint), checkpoint or model folder'],
    ['<org/name>', 'repository; made when it is not there'],
  ],
  flags: [
    { flag: '--private', meaning: 'a repository that is made is private' },
    { flag: '--revision <branch>', meaning: 'branch; made when it is not there (default: main)' },
    { flag: '--license <id>', meaning: 'license for the card, such as apache-2.0' },
    { flag: '--card <file>', meaning: 'a model card of your own' },
    { flag: '--dry-run', meaning: 'send nothing: list the files and write the card' },
  ],
  keys: [],
  groups: [],
  json: JSON_LINES,
  unstoppable: true,
  async run({ args: [from, to], flags, ui }) {
    const { push } = await import('./push.js')
    return { result: await push({ ...flags, from, to }, ui) }
  },
}
