/** `clha experiment`: a grid of methods, data and seeds; finished cells are never run again; a table and a page at the end. */
import { basename, extname, join } from 'node:path'
import { readExperiment } from '../../config/experiment-file.js'
import { experimentRows } from '../../evaluate/cell-rows.js'
import { appendCell, type Cell, readCells } from '../../evaluate/cells.js'
import type { ExperimentReport } from '../../report/experiment/page.js'
import { experimentTable } from '../../report/experiment/tables.js'
import { writeExperimentReport } from '../../report/write-reports.js'
import { inOutputDir } from '../../session/claim.js'
import { VERSION } from '../../session/session.js'
import { Stopped, sayingStop } from '../../session/stopped.js'
import { shellPath } from '../../show/shell.js'
import { amount, count } from '../../show/units.js'
import type { Ui } from '../../terminal/ui.js'
import type { ExperimentResult } from './experiment-result.js'
import { type PlanContext, planCells, tunedRates } from './plan-cells.js'
import { type Failure, failedCells, runCells } from './run-cells.js'
import { tune } from './tune.js'

export interface ExperimentOptions {
  /** YAML file of the experiment. */
  file: string
  outputDir?: string
  /** JSON Lines of finished cells, instead of the file's own. */
  results?: string
  /** Find the learning rates instead. */
  tune?: boolean
}

/** @throws ClhaError with the first failed cell's exit code, after all others were run and the tables written */
export async function experiment(options: ExperimentOptions, ui: Ui): Promise<ExperimentResult> {
  const { file } = options
  const described = await readExperiment(file)
  const outputDir = options.outputDir ?? join('runs', basename(file, extname(file)))
  const context: PlanContext = { file, experiment: described, outputDir, tuned: tunedRates(described) }
  return inOutputDir({ outputDir, resumeFromCheckpoint: true }, false, async () =>
    options.tune ? tune(context, ui) : runExperiment(context, options.results ?? described.results, ui),
  )
}

const KEPT = 'finished cells are kept: the same command goes on from here'

async function runExperiment(context: PlanContext, results: string, ui: Ui): Promise<ExperimentResult> {
  const plans = planCells(context)
  const known = readCells(results)
  const open = plans.filter(({ hash }) => !known.has(hash))
  ui.line(
    `${context.experiment.title}: ${amount(plans.length, 'cell')}, ${count(plans.length - open.length)} known`,
  )
  const failures: Failure[] = []
  const stopped = await runCells(open, ui, failures, (cell) => {
    appendCell(results, cell)
    known.set(cell.hash, cell)
  })
  const cells = plans.flatMap(({ hash }) => known.get(hash) ?? [])
  const report = cells.length > 0 ? await writeTables(context, cells, failures, ui) : undefined
  const { outputDir } = context
  const [finished, failed] = [cells.length, failures.length]
  const result = { outputDir, cells: plans.length, finished, failed, stopped, report }
  const end = async () => {
    if (stopped) throw new Stopped()
    if (failed > 0) throw failedCells(failures)
    return result
  }
  return sayingStop(ui, KEPT, end, () => result)
}

/** Scorers in the order of trust: the oracle, the judge that training never saw, training's own. */
const SCORERS = ['true', 'second', 'reward']

async function writeTables(
  { experiment, file, outputDir }: PlanContext,
  cells: readonly Cell[],
  failures: readonly Failure[],
  ui: Ui,
): Promise<string> {
  const present = new Set(cells.flatMap(({ rewards }) => Object.keys(rewards)))
  const scorers = [
    ...SCORERS.filter((s) => present.has(s)),
    ...[...present].filter((s) => !SCORERS.includes(s)),
  ]
  const { title, baseline, notes, seeds } = experiment
  const tables = { title, baseline, scorers, rows: experimentRows(cells, baseline, scorers[0]) }
  const report: ExperimentReport = {
    ...tables,
    failures,
    header: {
      title,
      notes: [...notes, ...METHOD_NOTES],
      command: `clha experiment ${shellPath(file)}`,
      version: VERSION,
      seeds,
      machine: { cpu: [...new Set(cells.map(({ machine }) => machine))].join(' · ') },
    },
  }
  ui.table(experimentTable(tables))
  const page = await writeExperimentReport(outputDir, report)
  ui.line(`report   ${page}`)
  return page
}

const METHOD_NOTES = [
  'Rewards are of greedy answers to test prompts that no training saw. Intervals are 95 %, by a bootstrap over seeds and, within them, over prompts.',
  'p is of a paired permutation test over prompts, corrected for all rows by Holm; effect is Cohen’s d of the paired differences. Few seeds: an interval over them is rough.',
]
