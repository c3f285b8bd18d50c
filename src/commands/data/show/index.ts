/** `clha data show`: the tokens of one row. */
import { dataCommand, numberIfGiven } from '../data-command.js'

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
  define(command) {
    command.option('--row <number>', 'row of the file, from 1 (default: 1)')
    command.option('--id <text>', 'the row with this id instead')
  },
  async run({ data, options, flags, ui, io, json }) {
    const { dataShow } = await import('./data-show.js')
    const { tokenLines } = await import('./say-tokens.js')
    const row = numberIfGiven('--row', flags.row, { least: 1 })
    const result = await dataShow({ ...options, data, row, id: flags.id as string | undefined }, ui)
    const stream = json ? io.stderr : io.stdout
    const isPlain = stream.isTTY !== true || Boolean(io.env.NO_COLOR) || io.env.TERM === 'dumb'
    for (const line of tokenLines(result, !isPlain)) stream.write(`${line}\n`)
    return result
  },
})
