/** `clha data sample`: some of the rows. */
import { numberIfGiven } from '../../own-flags.js'
import { dataCommand, writingFlags, writingOptions } from '../data-command.js'

export const dataSampleCommand = dataCommand({
  name: 'sample',
  summary: 'take a number or a share of the rows, the same ones every time',
  examples: [
    'clha data sample prefs.jsonl --count 1000 --output small.jsonl',
    'clha data sample prefs.jsonl --fraction 0.1 --seed 7 --output tenth.parquet',
  ],
  keys: ['seed'],
  flags: [
    ...writingFlags('new file: .jsonl, .jsonl.gz or .parquet'),
    { flag: '--count <number>', meaning: 'rows to take' },
    { flag: '--fraction <number>', meaning: 'share of the rows to take, 0 to 1' },
  ],
  async run(call) {
    const { dataSample } = await import('./data-sample.js')
    const count = numberIfGiven('--count', call.flags.count, { least: 1 })
    const fraction = numberIfGiven('--fraction', call.flags.fraction, { least: 0, most: 1, whole: false })
    return dataSample({ ...writingOptions(call), count, fraction }, call.ui)
  },
})
