/** `clha data dedupe`: the first of rows that say the same. */
import type { Example } from '../../../data/example.js'
import { createDuplicates, type Duplicate } from '../../../inspect/duplicates.js'
import type { Ui } from '../../../terminal/ui.js'
import type { WritingOptions } from '../convert/data-convert.js'
import { type DataReport, formatLike, withOutput } from '../data-output.js'
import { openData } from '../data-source.js'

export interface DedupeOptions extends WritingOptions {
  /** Jaccard similarity from which rows are nearly the same; undefined: exact copies only. */
  similarity?: number
  /** What has to be the same. */
  by: 'row' | 'prompt'
}

/** @throws ClhaError (exit 2) as `dataConvert` */
export async function dataDedupe(options: DedupeOptions, ui: Ui): Promise<DataReport> {
  const { data, output, similarity, by, report, force } = options
  const source = await openData(data, options, ui)
  const to = options.to ?? (await formatLike(source))
  const plan = {
    command: 'data dedupe',
    output,
    files: [output],
    report,
    force,
    options: { to, similarity: similarity ?? null, by },
  }
  return withOutput(plan, source, ui, async ({ write, drop }) => {
    const duplicateOf = createDuplicates({ similarity, by })
    const kept: string[] = []
    async function* first(): AsyncGenerator<Example> {
      for await (const example of source.examples('comparing', drop)) {
        const { file, row, id } = example
        const duplicate = duplicateOf(example)
        if (duplicate) {
          const code = duplicate.kind === 'exact' ? 'duplicate' : 'near_duplicate'
          drop({ file, row, id, code, reason: reasonOf(duplicate, kept[duplicate.first], by) })
          continue
        }
        kept.push(`${file}:${row}`)
        yield example
      }
    }
    await write(output, to, first())
  })
}

function reasonOf({ kind, similarity }: Duplicate, first: string, by: 'row' | 'prompt'): string {
  const what = by === 'row' ? 'prompt, answers and labels' : 'prompt'
  if (kind === 'exact') return `the same ${what} as ${first}`
  return `${what} ${(100 * similarity).toFixed(0)} % similar to ${first}`
}
