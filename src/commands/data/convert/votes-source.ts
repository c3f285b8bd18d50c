/** The verdicts of comparisons as a data source: an example an item, a label a verdict. */
import { newCounts } from '../../../data/read/stream-examples.js'
import { sha256File } from '../../../files/digest.js'
import { readComparison } from '../../../verdicts/comparison-file.js'
import { preferencesOf } from '../../../verdicts/exchange/preferences.js'
import type { DataSource } from '../data-source.js'

/** @throws ClhaError (exit 2) for a file that is no comparison, or was edited */
export async function openVotes(paths: readonly string[]): Promise<DataSource> {
  const counts = newCounts()
  const read = paths.map((path) => preferencesOf(readComparison(path)))
  for (const [i, { examples, faults }] of read.entries()) {
    const rows = examples.length + faults.length
    counts.files.push({ file: paths[i], sha256: await sha256File(paths[i]), rows, kept: examples.length })
    counts.rows += rows
    counts.kept += examples.length
    counts.dropped.content += faults.length
  }
  async function* items() {
    for (const { examples, faults } of read) {
      for (const fault of faults) yield { kind: 'skipped', fault } as const
      for (const example of examples) yield { kind: 'example', example } as const
    }
  }
  return {
    names: paths,
    paths,
    items,
    counts: () => counts,
    async *examples(_label, skipped) {
      for await (const item of items()) {
        if (item.kind === 'example') yield item.example
        else skipped?.(item.fault)
      }
    },
  }
}
