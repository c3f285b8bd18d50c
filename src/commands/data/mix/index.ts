/** `clha data mix`: several sources, one behind the other or in given proportions. */
import { usageError } from '../../../errors.js'
import { numberIfGiven, numberOf, oneOf, textsOf } from '../../own-flags.js'
import { dataCommand, writingFlags, writingOptions } from '../data-command.js'

export const dataMixCommand = dataCommand({
  name: 'mix',
  summary: 'put files together, or mix files or sources in given proportions',
  examples: [
    'clha data mix a.jsonl b.jsonl --output both.jsonl',
    'clha data mix a.jsonl b.jsonl --weight a.jsonl=3 --weight b.jsonl=1 --output mixed.jsonl',
    'clha data mix prefs.jsonl --by source --weight web=0 --total 10000 --output mixed.jsonl',
  ],
  keys: ['seed'],
  flags: [
    ...writingFlags('new file: .jsonl, .jsonl.gz or .parquet'),
    {
      flag: '--weight <name=number>',
      meaning:
        'weight of a file or a source, 1 for the others, 0 leaves it out; may be repeated (default: all rows of all)',
      repeatable: true,
    },
    {
      flag: '--by <what>',
      meaning: 'what the weights name: file or source (default: file; source of a single file)',
    },
    {
      flag: '--total <number>',
      meaning: 'rows of the mixture (default: as many as there are without repeating one)',
    },
  ],
  async run(call) {
    const { dataMix } = await import('./data-mix.js')
    const { weight, by, total } = call.flags
    const mix = {
      ...writingOptions(call),
      by: oneOf('--by', by ?? (call.data.length > 1 ? 'file' : 'source'), ['file', 'source']),
      weights: weightsOf(textsOf(weight)),
      total: numberIfGiven('--total', total, { least: 1 }),
    }
    return dataMix(mix, call.ui)
  },
})

/** The name may hold a `=` itself: the last one counts. */
function weightsOf(texts: readonly string[]): Map<string, number> {
  const weights = new Map<string, number>()
  for (const text of texts) {
    const at = text.lastIndexOf('=')
    if (at < 1) throw usageError(`--weight ${text}: expected name=number`, 'Such as --weight a.jsonl=3.')
    const name = text.slice(0, at)
    if (weights.has(name)) throw usageError(`--weight ${name}: given twice`)
    weights.set(name, numberOf(`--weight ${name}`, text.slice(at + 1), { least: 0, whole: false }))
  }
  return weights
}
