/** The data that a `clha data` command reads: every row comes out, with what is wrong with it where something is. */
import { setImmediate as yieldToLoop } from 'node:timers/promises'
import type { Options } from '../../config/options.js'
import type { Candidate, Example } from '../../data/example.js'
import type { ReadFault } from '../../data/read/row-fault.js'
import {
  newCounts,
  type ReadCounts,
  type StreamItem,
  streamExamples,
} from '../../data/read/stream-examples.js'
import { usageError } from '../../errors.js'
import { resolveData } from '../../session/names/resolve-names.js'
import { throwIfStopped } from '../../session/stopped.js'
import { stopRequested } from '../../terminal/signals.js'
import type { Ui } from '../../terminal/ui.js'

/** How the rows are to be read, as in a config. */
export type ReadingOptions = Pick<Options, 'datasetFormat' | 'columns' | 'rewardColumn' | 'splitter'>

export interface DataSource {
  /** As they were named. */
  names: readonly string[]
  /** Files and folders on this disk. */
  paths: readonly string[]
  /** Reads all of it from the start, with progress. */
  items(label?: string): AsyncGenerator<StreamItem>
  /** As `items`, the examples alone. @param skipped is given what is no example */
  examples(label?: string, skipped?: (fault: ReadFault) => void): AsyncGenerator<Example>
  /** Of the last reading that ended, or runs. */
  counts(): ReadCounts
}

const isScored = ({ reward }: Candidate) => reward !== undefined

const noReward = (names: readonly string[], columns: readonly string[]) =>
  usageError(
    `${names.join(', ')}: no answer has a reward in ${columns.map((x) => `${x} (lists), ${x}_chosen and ${x}_rejected (pairs)`).join(', ')}`,
    'Check the name given with --reward-column; without it the usual names are looked for.',
  )

/** Rows between two looks at the clock and at signals. */
const STRIDE = 500

/**
 * Rows with one answer and labelled ones are read as well as pairs and lists; rows that can't be used end nothing.
 * @param names files, folders, or names on the hub
 * @param noneUsable faults alone are an answer, too
 * @throws ClhaError (exit 2) for data that is not there; while reading, where a file is damaged or no row can be used
 */
export async function openData(
  names: readonly string[],
  options: ReadingOptions,
  ui: Ui,
  noneUsable = false,
): Promise<DataSource> {
  const paths: string[] = []
  for (const name of names) paths.push(...(await resolveData(name, { ui }, 'train')).paths)
  let counts = newCounts()
  async function* items(label = 'reading'): AsyncGenerator<StreamItem> {
    counts = newCounts()
    const bar = ui.progress(0, label, 'rows', true)
    let rows = 0
    let hasReward = false
    const stream = streamExamples(
      paths,
      {
        skipBad: true,
        maxDropped: 1,
        noneUsable,
        minCandidates: 1,
        unpaired: true,
        splitter: options.splitter,
        format: options.datasetFormat === 'auto' ? undefined : options.datasetFormat,
        columns: options.columns,
        rewardColumn: options.rewardColumn,
      },
      counts,
    )
    try {
      for await (const item of stream) {
        if (++rows % STRIDE === 0) {
          bar.update(rows)
          throwIfStopped({ stopRequested })
          // Streams that are read ahead never leave the loop by themselves.
          await yieldToLoop()
        }
        if (item.kind === 'example') hasReward ||= item.example.candidates.some(isScored)
        yield item
      }
      bar.update(rows)
      if (options.rewardColumn && counts.kept > 0 && !hasReward) throw noReward(names, options.rewardColumn)
    } finally {
      // Whoever reads may have seen enough.
      bar.done()
    }
  }
  return {
    names,
    paths,
    items,
    async *examples(label, skipped) {
      for await (const item of items(label)) {
        if (item.kind === 'example') yield item.example
        else skipped?.(item.fault)
      }
    },
    counts: () => counts,
  }
}
