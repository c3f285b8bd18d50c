/** `clha data split`: train, dev and test. */
import { WRITE_ENDS } from '../../../data/write/write-rows.js'
import { oneOf } from '../../own-flags.js'
import { dataCommand, writingFlags, writingOptions } from '../data-command.js'

export const dataSplitCommand = dataCommand({
  name: 'split',
  summary: 'split data into train, dev and test by prompt, so that no question is on two sides',
  examples: [
    'clha data split prefs.jsonl --output splits',
    'clha data split prefs.jsonl --output splits --dev-fraction 0 --test-fraction 0.1 --container parquet',
  ],
  keys: ['dev_fraction', 'test_fraction', 'seed'],
  flags: [
    ...writingFlags('folder for train, dev and test'),
    { flag: '--container <end>', meaning: `${WRITE_ENDS.join(', ')} (default: jsonl)` },
  ],
  async run(call) {
    const { dataSplit } = await import('./data-split.js')
    const container = oneOf('--container', call.flags.container ?? 'jsonl', WRITE_ENDS)
    return dataSplit({ ...writingOptions(call), container }, call.ui)
  },
})
