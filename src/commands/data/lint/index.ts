/** `clha data lint`: what is wrong with a data set. */
import { SEVERITIES } from '../../../inspect/findings.js'
import { toJsonLine } from '../../../show/json-lines.js'
import { dataCommand, numberOf, oneOf } from '../data-command.js'

export const dataLintCommand = dataCommand({
  name: 'lint',
  summary: 'look for faults: copies, leaks, template remnants, contradictions, length bias',
  examples: [
    'clha data lint prefs.jsonl',
    'clha data lint train.jsonl --against test.jsonl',
    'clha data lint prefs.jsonl --fail-on warning --json > findings.jsonl',
  ],
  define(command) {
    command.option('--against <data>', 'data whose prompts must not be in this one; may be repeated', collect)
    command.option('--similarity <number>', 'from which prompts are nearly the same, 0.7 to 1 (default: 0.8)')
    command.option(
      '--fail-on <severity>',
      `exit code 8 from here on: ${SEVERITIES.join(', ')}, none (default: error)`,
    )
    command.option('--report <file>', 'JSON file for the result')
    command.option('--force', 'write over a report that is there')
  },
  async run({ data, options, flags, ui, io, json }) {
    const { dataLint } = await import('./data-lint.js')
    const lint = {
      ...options,
      data,
      against: (flags.against as string[] | undefined) ?? [],
      similarity: numberOf('--similarity', flags.similarity ?? 0.8, { least: 0.7, most: 1, whole: false }),
      failOn: oneOf('--fail-on', flags.failOn ?? 'error', [...SEVERITIES, 'none']),
      report: flags.report as string | undefined,
      force: flags.force === true,
      found: (finding: object) => {
        if (json) io.stdout.write(toJsonLine({ finding } as never))
      },
    }
    return dataLint(lint, ui)
  },
})

const collect = (value: string, earlier: string[] | undefined): string[] => [...(earlier ?? []), value]
