/** `clha data inspect`: what a data set consists of. */
import { numberOf } from '../../own-flags.js'
import { dataCommand } from '../data-command.js'

export const dataInspectCommand = dataCommand({
  name: 'inspect',
  summary: 'what a data set consists of: format, counts, lengths, labels, rewards, rows that fail',
  examples: [
    'clha data inspect prefs.jsonl',
    'clha data inspect prefs.jsonl --tokenizer-name-or-path models/my',
    'clha data inspect data/ --bad --json',
  ],
  keys: ['tokenizer_name_or_path', 'model_name_or_path', 'chat_template'],
  flags: [
    { flag: '--examples <number>', meaning: 'rows to show, drawn by chance (default: 2)' },
    { flag: '--bad', meaning: "list every row that can't be used" },
  ],
  async run({ data, options, flags, ui }) {
    const { dataInspect } = await import('./data-inspect.js')
    const examples = numberOf('--examples', flags.examples ?? 2, { least: 0, most: 100 })
    return dataInspect({ ...options, data, examples, bad: flags.bad === true }, ui)
  },
})
