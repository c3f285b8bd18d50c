/** `clha data show`: one row as the model will see it. */
import type { Options } from '../../../config/options.js'
import type { Example } from '../../../data/example.js'
import { formatFault } from '../../../data/read/row-fault.js'
import { usageError } from '../../../errors.js'
import { type TokenView, tokenView } from '../../../inspect/token-view.js'
import { openTokenizer } from '../../../load/open-tokenizer.js'
import { count } from '../../../show/units.js'
import type { Ui } from '../../../terminal/ui.js'
import { openData, type ReadingOptions } from '../data-source.js'

export interface ShowOptions
  extends ReadingOptions,
    Pick<
      Options,
      | 'tokenizerNameOrPath'
      | 'modelNameOrPath'
      | 'chatTemplate'
      | 'maxLength'
      | 'maxPromptLength'
      | 'truncation'
    > {
  data: readonly string[]
  /** Counts from 1, as faults and findings do; of the first file that has such a row. */
  row?: number
  /** Instead of the row. */
  id?: string
}

export interface ShowResult {
  example: Example
  view: TokenView
  tokenizer: string
  template: string
}

/** @throws ClhaError (exit 2) for a row that is not there or can't be used, and where there is no tokenizer */
export async function dataShow(options: ShowOptions, ui: Ui): Promise<ShowResult> {
  const reader = await openTokenizer(options, ui)
  if (!reader) {
    throw usageError(
      'data show needs a tokenizer: it shows the tokens of the row',
      'Give --tokenizer-name-or-path or --model-name-or-path.',
    )
  }
  const example = await find(options, ui)
  const { tokenizer, template } = reader
  const view = await tokenView(example, tokenizer, template, options)
  if (typeof view === 'string')
    throw usageError(`${example.file}:${example.row}: ${view}`, 'A larger --max-length gives it room.')
  return { example, view, tokenizer: tokenizer.dir, template: template.name }
}

async function find(options: ShowOptions, ui: Ui): Promise<Example> {
  const { row = 1, id } = options
  const source = await openData(options.data, options, ui)
  for await (const item of source.items()) {
    if (item.kind === 'example') {
      const { example } = item
      if (id === undefined ? example.row === row : example.id === id) return example
    } else if (id === undefined && item.fault.row === row) {
      throw usageError(`this row can't be used: ${formatFault(item.fault)}`, 'Choose another --row.')
    }
  }
  const wanted = id === undefined ? `row ${count(row)}` : `row with the id "${id}"`
  throw usageError(
    `${options.data.join(', ')}: there is no ${wanted}`,
    `${count(source.counts().rows)} rows were read; they count from 1, and blank lines count.`,
  )
}
