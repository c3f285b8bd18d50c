/** `clha data convert`: data in another format. */
import { usageError } from '../../../errors.js'
import { dataCommand, writingFlags, writingOptions } from '../data-command.js'

export const dataConvertCommand = dataCommand({
  name: 'convert',
  summary: 'write data in another format: trl, hh, listwise, messages, kto',
  examples: [
    'clha data convert hh/train.jsonl.gz --to trl --output prefs.jsonl',
    'clha data convert prefs.parquet --to listwise --output lists.jsonl.gz',
  ],
  flags: writingFlags('new file: .jsonl, .jsonl.gz or .parquet', 'none: it has to be given'),
  async run(call) {
    const { dataConvert } = await import('./data-convert.js')
    const { to, ...options } = writingOptions(call)
    if (to === undefined)
      throw usageError('data convert needs --to', 'clha data convert --help lists the formats')
    return dataConvert({ ...options, to }, call.ui)
  },
})
