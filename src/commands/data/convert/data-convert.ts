/** `clha data convert`: the same examples in another format or container. */
import type { WriteFormat } from '../../../data/write/write-examples.js'
import type { Ui } from '../../../terminal/ui.js'
import { type DataReport, withOutput } from '../data-output.js'
import { openData, type ReadingOptions } from '../data-source.js'
import { openVotes } from './votes-source.js'

/** What every command that writes data is given. */
export interface WritingOptions extends ReadingOptions {
  data: readonly string[]
  output: string
  /** Format of the output; that of the input's first row when left out. */
  to?: WriteFormat
  report?: string
  force: boolean
}

/** @throws ClhaError (exit 2) for data that can't be read, or an output that is there already */
export async function dataConvert(
  options: WritingOptions & { to: WriteFormat; votes: boolean },
  ui: Ui,
): Promise<DataReport> {
  const { data, output, to, votes, report, force } = options
  const source = votes ? await openVotes(data) : await openData(data, options, ui)
  const plan = { command: 'data convert', output, files: [output], report, force, options: { to } }
  return withOutput(plan, source, ui, async ({ write, drop }) => {
    await write(output, to, source.examples('converting', drop))
  })
}
