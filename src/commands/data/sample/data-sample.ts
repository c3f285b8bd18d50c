/** `clha data sample`: a number or a share of the rows, chosen by a hash of their content. */

import { type Choice, drawOf, lowest } from '../../../data/choose.js'
import type { Example } from '../../../data/example.js'
import { usageError } from '../../../errors.js'
import { amount, count as counted } from '../../../show/units.js'
import type { Ui } from '../../../terminal/ui.js'
import type { WritingOptions } from '../convert/data-convert.js'
import { type DataReport, formatLike, withOutput } from '../data-output.js'
import { type DataSource, openData } from '../data-source.js'

export interface SampleOptions extends WritingOptions {
  /** Rows; or `fraction`, a share of them. */
  count?: number
  fraction?: number
  seed: number
}

/**
 * The same rows are taken whatever their order is; a share keeps its rows when others are added.
 * @throws ClhaError (exit 2) when there are fewer rows than are wanted, or as `dataConvert`
 */
export async function dataSample(options: SampleOptions, ui: Ui): Promise<DataReport> {
  const { data, output, count, fraction, seed, report, force } = options
  if ((count === undefined) === (fraction === undefined))
    throw usageError('a sample needs a count or a fraction', 'Give either --count or --fraction.')
  const source = await openData(data, options, ui)
  const to = options.to ?? (await formatLike(source))
  const choice =
    fraction === undefined
      ? await choose(source, count as number, seed)
      : { takes: (draw: number) => draw < fraction }
  const plan = {
    ...{ command: 'data sample', output, files: [output], report, force },
    options: { to, ...(count === undefined ? { fraction } : { count }), seed },
  }
  return withOutput(plan, source, ui, async ({ write, drop }) => {
    async function* taken(): AsyncGenerator<Example> {
      for await (const example of source.examples('sampling', drop)) {
        const { file, row, id } = example
        if (choice.takes(drawOf(example, seed))) yield example
        else drop({ file, row, id, code: 'not_sampled', reason: 'the sample goes without it' })
      }
    }
    await write(output, to, taken())
  })
}

async function choose(source: DataSource, wanted: number, seed: number): Promise<Choice> {
  const draws: number[] = []
  for await (const example of source.examples()) draws.push(drawOf(example, seed))
  if (draws.length >= wanted) return lowest(draws, wanted)
  throw usageError(
    `${source.names.join(', ')}: ${amount(draws.length, 'row')} can be used, ${counted(wanted)} are wanted`,
    'Take a smaller count.',
  )
}
