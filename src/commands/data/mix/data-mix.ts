/** `clha data mix`: rows of several files or sources, all of them or in given proportions. */

import { type Choice, drawOf, lowest, quotas } from '../../../data/choose.js'
import type { Example } from '../../../data/example.js'
import { usageError } from '../../../errors.js'
import { tableOf } from '../../../show/table.js'
import { count as counted, percent } from '../../../show/units.js'
import type { Ui } from '../../../terminal/ui.js'
import type { WritingOptions } from '../convert/data-convert.js'
import { type DataReport, formatLike, withOutput } from '../data-output.js'
import { type DataSource, openData } from '../data-source.js'

export interface MixOptions extends WritingOptions {
  by: 'file' | 'source'
  /** By the name of a file or a source; 1 for those that are not named, 0 leaves one out. None at all: each counts as many rows as it has. */
  weights: ReadonlyMap<string, number>
  /** Rows of the mixture; as many as there are without repeating one when left out, which is all where nothing is weighed. */
  total?: number
  seed: number
}

/** Which group a row belongs to. */
type GroupOf = (example: Example) => string

/**
 * No row comes twice. The rows stand in the order of the input; training has an order of its own.
 * @throws ClhaError (exit 2) for a weight without a group, a group with too few rows, or as `dataConvert`
 */
export async function dataMix(options: MixOptions, ui: Ui): Promise<DataReport> {
  const { data, output, by, weights, total, seed, report, force } = options
  const source = await openData(data, options, ui)
  const to = options.to ?? (await formatLike(source))
  const groupOf: GroupOf = by === 'file' ? ({ file }) => file : ({ source: name }) => name
  const plan = {
    command: 'data mix',
    output,
    files: [output],
    report,
    force,
    options: {
      to,
      by,
      weights: [...weights].map(([name, weight]) => ({ name, weight })),
      total: total ?? null,
      seed,
    },
  }
  return withOutput(plan, source, ui, async ({ write, drop }) => {
    const choices = choose(await drawAll(source, groupOf, seed), weights, total, ui)
    async function* taken(): AsyncGenerator<Example> {
      for await (const example of source.examples('mixing', drop)) {
        const { file, row, id } = example
        const group = groupOf(example)
        if (choices.get(group)?.takes(drawOf(example, seed))) yield example
        else drop({ file, row, id, code: 'not_mixed_in', reason: `the share of ${group} is full` })
      }
    }
    await write(output, to, taken())
  })
}

async function drawAll(source: DataSource, groupOf: GroupOf, seed: number): Promise<Map<string, number[]>> {
  const draws = new Map<string, number[]>()
  for await (const example of source.examples()) {
    const group = groupOf(example)
    const own = draws.get(group) ?? []
    draws.set(group, own)
    own.push(drawOf(example, seed))
  }
  return draws
}

function choose(
  draws: ReadonlyMap<string, number[]>,
  weights: ReadonlyMap<string, number>,
  total: number | undefined,
  ui: Ui,
): Map<string, Choice> {
  for (const name of weights.keys()) {
    if (draws.has(name)) continue
    throw usageError(`--weight ${name}: there are no such rows`, `There are ${[...draws.keys()].join(', ')}.`)
  }
  const groups = [...draws].map(([name, { length }]) => ({
    name,
    rows: length,
    weight: weights.size === 0 ? length : (weights.get(name) ?? 1),
  }))
  const counts = quotas(groups, total)
  const all = counts.reduce((sum, n) => sum + n, 0)
  ui.table(
    tableOf(
      groups.map(({ name, rows, weight }, i) => ({
        name,
        rows,
        weight,
        taken: counts[i],
        share: counts[i] / all,
      })),
      [
        { key: 'name', title: 'group' },
        { key: 'rows', format: (n) => counted(n as number) },
        ...(weights.size === 0 ? [] : [{ key: 'weight' }]),
        { key: 'taken', format: (n) => counted(n as number) },
        { key: 'share', format: (x) => percent(x as number) },
      ],
    ),
  )
  return new Map(groups.map(({ name }, i) => [name, lowest(draws.get(name) as number[], counts[i])]))
}
