/** `clha data lint`: what is wrong with a data set. */
import { usageError } from '../../../errors.js'
import { SEVERITIES } from '../../../inspect/findings.js'
import { toJsonLine } from '../../../show/json-lines.js'
import { numberOf, oneOf, textOf, textsOf } from '../../own-flags.js'
import { dataCommand } from '../data-command.js'

export const dataLintCommand = dataCommand({
  name: 'lint',
  summary: 'look for faults: copies, leaks, template remnants, contradictions, length bias',
  examples: [
    'clha data lint prefs.jsonl',
    'clha data lint train.jsonl --against test.jsonl',
    'clha data lint prefs.jsonl --fail-on warning --json > findings.jsonl',
  ],
  flags: [
    {
      flag: '--against <data>',
      meaning: 'data whose prompts must not be in this one; may be repeated',
      repeatable: true,
    },
    {
      flag: '--similarity <number>',
      meaning: 'from which prompts are nearly the same, 0.7 to 1 (default: 0.8)',
    },
    {
      flag: '--fail-on <severity>',
      meaning: `exit code 8 from here on: ${SEVERITIES.join(', ')}, none (default: error)`,
    },
    { flag: '--report <file>', meaning: 'JSON file for the result' },
    { flag: '--force', meaning: 'write over a report that is there' },
  ],
  async run({ data, options, flags, ui, terminal: { json, print } }) {
    const { dataLint } = await import('./data-lint.js')
    const against = textsOf(flags.against)
    if (flags.similarity !== undefined && against.length === 0)
      throw usageError('--similarity compares prompts with other data', 'Name them with --against.')
    const lint = {
      ...options,
      data,
      against,
      similarity: numberOf('--similarity', flags.similarity ?? 0.8, { least: 0.7, most: 1, whole: false }),
      failOn: oneOf('--fail-on', flags.failOn ?? 'error', [...SEVERITIES, 'none']),
      report: textOf(flags.report),
      force: flags.force === true,
      found: (finding: object) => {
        if (json) print(toJsonLine({ finding } as never))
      },
    }
    return dataLint(lint, ui)
  },
})
