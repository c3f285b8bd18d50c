/** `clha data dedupe`: the first of rows that say the same. */
import { usageError } from '../../../errors.js'
import { numberOf, oneOf } from '../../own-flags.js'
import { dataCommand, writingFlags, writingOptions } from '../data-command.js'

export const dataDedupeCommand = dataCommand({
  name: 'dedupe',
  summary: 'leave out rows that repeat an earlier one, exactly or nearly',
  examples: [
    'clha data dedupe prefs.jsonl --output unique.jsonl',
    'clha data dedupe prefs.jsonl --exact --by prompt --output prompts.jsonl',
  ],
  flags: [
    ...writingFlags('new file: .jsonl, .jsonl.gz or .parquet'),
    {
      flag: '--similarity <number>',
      meaning: 'share of the text that nearly equal rows have in common, 0.7 to 1 (default: 0.9)',
    },
    { flag: '--exact', meaning: 'exact copies only' },
    { flag: '--by <what>', meaning: 'row (prompt, answers and labels) or prompt (default: row)' },
  ],
  async run(call) {
    const { dataDedupe } = await import('./data-dedupe.js')
    const { exact, similarity: given, by = 'row' } = call.flags
    if (exact && given !== undefined)
      throw usageError('--exact compares no similarity', 'Leave out --exact or --similarity.')
    const similarity = exact
      ? undefined
      : numberOf('--similarity', given ?? 0.9, { least: 0.7, most: 1, whole: false })
    return dataDedupe(
      { ...writingOptions(call), similarity, by: oneOf('--by', by, ['row', 'prompt']) },
      call.ui,
    )
  },
})
