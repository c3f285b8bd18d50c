/**
 * `clha data split`: train, dev and test by a hash of the prompt without case, spacing and punctuation, so that no question
 * is on two sides; trainings split by the exact prompt (data/split.ts).
 */
import { join } from 'node:path'
import { canonicalPrompt } from '../../../data/content-key.js'
import type { Example } from '../../../data/example.js'
import { WRITE_ENDS } from '../../../data/write/write-rows.js'
import { usageError } from '../../../errors.js'
import { hashUnit } from '../../../random.js'
import type { Ui } from '../../../terminal/ui.js'
import type { WritingOptions } from '../convert/data-convert.js'
import { type DataOutput, type DataReport, formatLike, withOutput } from '../data-output.js'
import { type DataSource, openData } from '../data-source.js'

export interface SplitDataOptions extends WritingOptions {
  devFraction: number
  testFraction: number
  seed: number
  /** End of the files' names: `jsonl`, `jsonl.gz` or `parquet`. */
  container: (typeof WRITE_ENDS)[number]
}

const PARTS = ['train', 'dev', 'test'] as const
type Part = (typeof PARTS)[number]

/**
 * `output` is a folder for `train`, `dev` and `test`; a part of share 0 is not written, and one of an earlier split does
 * not stay. Prompts that differ in case, spacing or punctuation alone go to the same side.
 * @throws ClhaError (exit 2) for a part that no prompt falls into, or as `dataConvert`
 */
export async function dataSplit(options: SplitDataOptions, ui: Ui): Promise<DataReport> {
  const { data, output, devFraction, testFraction, seed, container, report, force } = options
  const parts = PARTS.filter((part) => part === 'train' || (part === 'dev' ? devFraction : testFraction) > 0)
  const fileOf = (part: Part, end = container) => join(output, `${part}.${end}`)
  const files = parts.map((part) => fileOf(part))
  const every = PARTS.flatMap((part) => WRITE_ENDS.map((end) => fileOf(part, end)))
  const source = await openData(data, options, ui)
  const to = options.to ?? (await formatLike(source))
  const plan = {
    command: 'data split',
    output,
    files,
    report,
    force,
    // A row of an old part may be in a new one.
    outdated: every.filter((file) => !files.includes(file)),
    options: { to, devFraction, testFraction, seed },
  }
  const partOf = ({ prompt }: Example): Part => {
    const at = hashUnit(`split:${seed}:${canonicalPrompt(prompt)}`)
    return at < testFraction ? 'test' : at < testFraction + devFraction ? 'dev' : 'train'
  }
  return withOutput(plan, source, ui, async (out) => {
    for (const part of parts) {
      await out.write(fileOf(part), to, onlyPart(source, part, partOf, out))
    }
  })
}

/** One reading for each part: no part has to be held in memory. */
async function* onlyPart(
  source: DataSource,
  part: Part,
  partOf: (example: Example) => Part,
  out: DataOutput,
): AsyncGenerator<Example> {
  let found = 0
  for await (const example of source.examples(part, part === 'train' ? out.drop : undefined)) {
    if (partOf(example) !== part) continue
    found++
    yield example
  }
  if (found > 0) return
  throw usageError(
    `no prompt falls into ${part}`,
    `Give ${part} a larger share, or none; with few prompts another --seed may do.`,
  )
}
