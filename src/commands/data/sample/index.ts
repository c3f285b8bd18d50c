/** `clha data sample`: some of the rows. */
import { numberIfGiven } from '../../own-flags.js'
import { dataCommand, writingFlags, writingOptions } from '../data-command.js'

export const dataSampleCommand = dataCommand({
  name: 'sample',
  summary: 'take a number or a share of the rows, or the short ones; the same ones every time',
  examples: [
    'clha data sample prefs.jsonl --count 1000 --output small.jsonl',
    'clha data sample prefs.jsonl --fraction 0.1 --seed 7 --output tenth.parquet',
    'clha data sample prefs.jsonl --max-answer-tokens 64 --tokenizer-name-or-path models/my --output short.jsonl',
  ],
  keys: ['seed', 'tokenizer_name_or_path', 'chat_template'],
  flags: [
    ...writingFlags('new file: .jsonl, .jsonl.gz or .parquet'),
    { flag: '--count <number>', meaning: 'rows to take' },
    { flag: '--fraction <number>', meaning: 'share of the rows to take, 0 to 1' },
    { flag: '--max-prompt-tokens <number>', meaning: 'leave rows with a longer prompt out' },
    { flag: '--max-answer-tokens <number>', meaning: 'leave rows with a longer answer out' },
  ],
  async run(call) {
    const { dataSample } = await import('./data-sample.js')
    const count = numberIfGiven('--count', call.flags.count, { least: 1 })
    const fraction = numberIfGiven('--fraction', call.flags.fraction, { least: 0, most: 1, whole: false })
    const { maxPromptTokens: prompt, maxAnswerTokens: answer } = call.flags
    const limits = {
      maxPromptTokens: numberIfGiven('--max-prompt-tokens', prompt, { least: 1 }),
      maxAnswerTokens: numberIfGiven('--max-answer-tokens', answer, { least: 1 }),
    }
    return dataSample({ ...writingOptions(call), count, fraction, ...limits }, call.ui)
  },
})
