/** `clha data convert`: data in another format. */
import { usageError } from '../../../errors.js'
import { camelCase } from '../../../key-names.js'
import { oneOf } from '../../own-flags.js'
import { dataCommand, READING, writingFlags, writingOptions } from '../data-command.js'

export const dataConvertCommand = dataCommand({
  name: 'convert',
  summary: 'write data in another format: trl, hh, listwise, messages, kto',
  examples: [
    'clha data convert hh/train.jsonl.gz --to trl --output prefs.jsonl',
    'clha data convert prefs.parquet --to listwise --output lists.jsonl.gz',
    'clha data convert votes.jsonl --from votes --to trl --output prefs.jsonl',
  ],
  flags: [
    ...writingFlags('new file: .jsonl, .jsonl.gz or .parquet', 'none: it has to be given'),
    {
      flag: '--from <what>',
      meaning:
        'votes: a file of clha vote, judge or verdicts import; the rater stands in the column annotator',
    },
  ],
  async run(call) {
    const { dataConvert } = await import('./data-convert.js')
    const { to, ...options } = writingOptions(call)
    if (to === undefined)
      throw usageError('data convert needs --to', 'clha data convert --help lists the formats')
    const { from } = call.flags
    if (from !== undefined) {
      oneOf('--from', from, ['votes'])
      const idle = READING.find((key) => call.flags[camelCase(key)] !== undefined)
      if (idle !== undefined)
        throw usageError(`--from votes: ${idle} says how data is read, and has no effect`, 'Leave it out.')
    }
    return dataConvert({ ...options, to, votes: from !== undefined }, call.ui)
  },
})
