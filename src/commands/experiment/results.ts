/** Pages of results, made from stored cells: their tables are written anew, and their sentences held against the cells. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { readExperiment } from '../../config/experiment-file.js'
import { usageError } from '../../errors.js'
import { experimentRows } from '../../evaluate/cell-rows.js'
import { type Cell, readCells } from '../../evaluate/cells.js'
import {
  claimedNumber,
  LAYOUTS,
  type ResultRows,
  ratesTable,
  resultTable,
} from '../../report/experiment/layouts.js'
import { finishedCells, planCells, type Tuning, tunedRates } from './plan-cells.js'
import { scorersOf } from './scorer-order.js'

const sourceShape = {
  /** YAML file of an experiment, which names its cells and its baseline. */
  experiment: z.string().optional(),
  /** Or cells themselves, and the variant that they are compared with. */
  cells: z.string().optional(),
  baseline: z.string().optional(),
  /** The scorer that differences are taken on; the most trusted one when left out. */
  judge: z.string().optional(),
}

const requestZod = z.strictObject({
  ...sourceShape,
  /** Or what `--tune` tried. */
  rates: z.string().optional(),
  layout: z.enum([...LAYOUTS, 'rates']),
  value: z.string().optional(),
  variants: z.array(z.string()).optional(),
})

const numberZod = z.strictObject({
  ...sourceShape,
  variant: z.string(),
  noise: z.number().optional(),
  augmented: z.number().optional(),
  value: z.string(),
  end: z.enum(['low', 'high']).optional(),
  over: z.enum(['min', 'max']).optional(),
  as: z.enum(['plain', 'signed', 'percent']).optional(),
  digits: z.number().optional(),
})

const claimsZod = z.array(
  z.strictObject({
    page: z.string(),
    /** A part of a sentence of the page, with a name in braces for each number. */
    says: z.string(),
    numbers: z.record(z.string(), numberZod),
  }),
)

type Source = Pick<z.output<typeof requestZod>, 'experiment' | 'cells' | 'baseline' | 'judge'>

/** A block that is written from cells; its settings are a YAML mapping. */
const BLOCK = /<!-- results (\{.*\}) -->\n[\s\S]*?<!-- end of results -->/g

/**
 * A page with all of its tables as the cells have them.
 * @param root folder of the repository
 * @throws ClhaError (exit 2) for a block that asks for what there is not
 */
export async function withTables(root: string, page: string, content: string): Promise<string> {
  const parts: string[] = []
  const rows = rowsOnce(root)
  let from = 0
  for (const found of content.matchAll(BLOCK)) {
    const [whole, settings] = found
    const request = requestZod.safeParse(parse(settings))
    if (!request.success) throw usageError(`${page}: ${settings}: ${request.error.issues[0].message}`)
    parts.push(content.slice(from, found.index))
    parts.push(
      `<!-- results ${settings} -->\n${await blockOf(root, request.data, rows)}\n<!-- end of results -->`,
    )
    from = found.index + whole.length
  }
  return [...parts, content.slice(from)].join('')
}

type RowsOf = (source: Source) => Promise<ResultRows>

/** What several tables or sentences ask for is read once. */
function rowsOnce(root: string): RowsOf {
  const read = new Map<string, Promise<ResultRows>>()
  return ({ experiment, cells, baseline, judge }) => {
    const source = { experiment, cells, baseline, judge }
    const key = JSON.stringify(source)
    const known = read.get(key) ?? rowsOf(root, source)
    read.set(key, known)
    return known
  }
}

async function blockOf(
  root: string,
  { layout, ...request }: z.output<typeof requestZod>,
  rows: RowsOf,
): Promise<string> {
  if (layout === 'rates') {
    const path = join(root, request.rates ?? '')
    return ratesTable((JSON.parse(readFileSync(path, 'utf8')) as Tuning).tried)
  }
  const results = await rows(request)
  if (results.rows.length === 0) return `Not run yet: \`npm run experiment -- ${request.experiment}\`.`
  return resultTable(results, { ...request, layout })
}

/** The rows of an experiment as its file stands, or of a file of cells. */
async function rowsOf(root: string, { experiment, cells, baseline, judge }: Source): Promise<ResultRows> {
  if (experiment !== undefined) {
    const planned = await experimentCells(root, experiment)
    return rowsAgainst(planned.cells, baseline ?? planned.baseline, judge)
  }
  if (cells === undefined || baseline === undefined)
    throw usageError('a table needs an experiment, or cells and a baseline')
  return rowsAgainst(newest([...readCells(join(root, cells)).values()]), baseline, judge)
}

function rowsAgainst(cells: readonly Cell[], baseline: string, judge?: string): ResultRows {
  const known = scorersOf(cells)
  const scorers = judge === undefined ? known : [judge, ...known.filter((name) => name !== judge)]
  return { baseline, scorers, rows: experimentRows(cells, baseline, scorers[0]) }
}

/** Of cells with the same factors and seed the last one counts: it was run again under other settings. */
function newest(cells: readonly Cell[]): Cell[] {
  const last = new Map<string, Cell>()
  for (const cell of cells) {
    const { variant, noise, augmented, seed } = cell
    last.set(JSON.stringify([variant, noise ?? null, augmented ?? null, seed]), cell)
  }
  return [...last.values()]
}

async function experimentCells(root: string, path: string): Promise<{ cells: Cell[]; baseline: string }> {
  const file = join(root, path)
  const experiment = await readExperiment(file)
  const { results, baseline, tune } = experiment
  const tuned = tunedRates(tune && join(root, tune.results))
  const known = readCells(join(root, results))
  const plans = known.size > 0 ? planCells({ file, experiment, outputDir: root, tuned }) : []
  return { cells: finishedCells(plans, known), baseline }
}

/**
 * Sentences whose numbers are not the cells' (any more).
 * @param file YAML list of claims, by pages below `root`
 * @returns one line for each
 */
export async function wrongClaims(root: string, file: string): Promise<string[]> {
  if (!existsSync(join(root, file))) return []
  const claims = claimsZod.parse(parse(readFileSync(join(root, file), 'utf8'), { merge: true }) ?? [])
  const wrong: string[] = []
  const rows = rowsOnce(root)
  for (const { page, says, numbers } of claims) {
    const text = oneLine(readFileSync(join(root, page), 'utf8'))
    const values = await Promise.all(
      Object.entries(numbers).map(async ([name, claim]) => {
        return [name, claimedNumber(await rows(claim), claim)] as const
      }),
    )
    const missing = values.filter(([, value]) => value === undefined).map(([name]) => name)
    const sentence = oneLine(
      values.reduce((sum, [name, value]) => sum.replaceAll(`{${name}}`, value ?? '?'), says),
    )
    if (missing.length > 0) wrong.push(`${page}: no cell says ${missing.join(', ')} of "${says}"`)
    else if (!text.includes(sentence)) wrong.push(`${page}: the cells say "${sentence}"`)
  }
  return wrong
}

const oneLine = (content: string): string => content.replaceAll(/\s+/g, ' ').trim()
