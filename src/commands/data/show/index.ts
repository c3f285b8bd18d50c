/** `clha data show`: the tokens of one row. */
import { usageError } from '../../../errors.js'
import { numberIfGiven, textOf } from '../../own-flags.js'
import { dataCommand } from '../data-command.js'

export const dataShowCommand = dataCommand({
  name: 'show',
  summary: 'one row as the model will see it: its tokens, and which of them are trained on',
  examples: [
    'clha data show prefs.jsonl --model-name-or-path models/my',
    'clha data show prefs.jsonl --row 1033 --tokenizer-name-or-path models/my --chat-template chatml',
  ],
  keys: [
    ...(['tokenizer_name_or_path', 'model_name_or_path', 'chat_template'] as const),
    ...(['max_length', 'max_prompt_length', 'truncation'] as const),
  ],
  flags: [
    { flag: '--row <number>', meaning: 'row of the file, from 1 (default: 1)' },
    { flag: '--id <text>', meaning: 'the row with this id instead' },
  ],
  async run({ data, options, flags, ui, terminal }) {
    const { dataShow } = await import('./data-show.js')
    const { tokenLines } = await import('./say-tokens.js')
    if (flags.row !== undefined && flags.id !== undefined)
      throw usageError('one row is shown', 'Give either --row or --id.')
    const row = numberIfGiven('--row', flags.row, { least: 1 })
    const result = await dataShow({ ...options, data, row, id: textOf(flags.id) }, ui)
    for (const line of tokenLines(result, terminal.colors)) terminal.say(`${line}\n`)
    return result
  },
})
