/** Preference files in, all examples out, with a report that accounts for every row. */
import type { Example } from '../example.js'
import type { ReadFault } from './row-fault.js'
import { newCounts, type ReadCounts, type ReadOptions, streamExamples } from './stream-examples.js'

export type { ReadFault } from './row-fault.js'
export type { ReadOptions } from './stream-examples.js'

/** `kept + faults.length` is always `rows`. */
export interface ReadReport extends ReadCounts {
  faults: ReadFault[]
}

/**
 * Reads files and folders (JSON lines, JSON, CSV, TSV, Parquet; gzip and zstd) into examples, in file order.
 * Unreadable rows are an error unless `skipBad`; rows without content are dropped and listed up to `maxDropped`.
 * @throws ClhaError (usage) naming file, row and reason
 * @example
 * ```ts
 * const { examples } = await readExamples('prefs.jsonl')
 * examples.length // 8
 * ```
 */
export async function readExamples(
  paths: string | readonly string[],
  options: ReadOptions = {},
): Promise<{ examples: Example[]; report: ReadReport }> {
  const counts = newCounts()
  const examples: Example[] = []
  const faults: ReadFault[] = []
  for await (const item of streamExamples(paths, options, counts)) {
    if (item.kind === 'example') examples.push(item.example)
    else faults.push(item.fault)
  }
  return { examples, report: { ...counts, faults } }
}
