/** `clha experiment`: a grid of methods, data and seeds; finished cells are never run again; a table and a page at the end. */
import { basename, extname, join } from 'node:path'
import { readExperiment } from '../../config/experiment-file.js'
import { experimentRows } from '../../evaluate/cell-rows.js'
import { appendCell, type Cell, readCells } from '../../evaluate/cells.js'
import type { ExperimentReport } from '../../report/experiment/page.js'
import { experimentDataTable, experimentTable } from '../../report/experiment/tables.js'
import { writeExperimentReport } from '../../report/write-reports.js'
import { inOutputDir } from '../../session/claim.js'
import { VERSION } from '../../session/session.js'
import { Stopped, sayingStop } from '../../session/stopped.js'
import { shellPath } from '../../show/shell.js'
import { amount, count } from '../../show/units.js'
import { ENOUGH_REPETITIONS } from '../../statistics/t-interval.js'
import type { Ui } from '../../terminal/ui.js'
import type { ExperimentResult } from './experiment-result.js'
import { inputsHash } from './inputs.js'
import { type CellPlan, finishedCells, type PlanContext, planCells, tunedRates } from './plan-cells.js'
import { type Failure, failedCells, runCells } from './run-cells.js'
import { scorersOf } from './scorer-order.js'
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
  const { world, base, tune: grid } = described
  const inputs = world ? undefined : await inputsHash(base)
  const context: PlanContext = {
    file,
    experiment: described,
    outputDir,
    tuned: tunedRates(grid?.results),
    ...(inputs !== undefined && { inputs }),
  }
  return inOutputDir({ outputDir, resumeFromCheckpoint: true }, false, async () =>
    options.tune ? tune(context, ui) : runExperiment(context, options.results ?? described.results, ui),
  )
}

const KEPT = 'finished cells are kept: the same command goes on from here'

async function runExperiment(context: PlanContext, results: string, ui: Ui): Promise<ExperimentResult> {
  const plans = planCells(context)
  const known = ofTheseInputs(readCells(results), plans, ui)
  const open = plans.filter(({ hash }) => !known.has(hash))
  ui.line(
    `${context.experiment.title}: ${amount(plans.length, 'cell')}, ${count(plans.length - open.length)} known`,
  )
  const failures: Failure[] = []
  const stopped = await runCells(open, ui, failures, (cell) => {
    appendCell(results, cell)
    known.set(cell.hash, cell)
  })
  const cells = finishedCells(plans, known)
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

/** Cells of other data, or another start model, under the same settings are run again. */
function ofTheseInputs(
  cells: ReadonlyMap<string, Cell>,
  plans: readonly CellPlan[],
  ui: Ui,
): Map<string, Cell> {
  const known = new Map(cells)
  for (const { hash, start } of plans) {
    const found = known.get(hash)?.inputs
    if (found !== undefined && start.inputs !== undefined && found !== start.inputs) known.delete(hash)
  }
  const others = cells.size - known.size
  if (others > 0)
    ui.warn(
      `${amount(others, 'finished cell')} learnt from other data or another start model`,
      'they are run again',
    )
  return known
}

async function writeTables(
  { experiment, file, outputDir }: PlanContext,
  cells: readonly Cell[],
  failures: readonly Failure[],
  ui: Ui,
): Promise<string> {
  const scorers = scorersOf(cells)
  const { title, baseline, notes, seeds } = experiment
  const tables = { title, baseline, scorers, rows: experimentRows(cells, baseline, scorers[0]) }
  const report: ExperimentReport = {
    ...tables,
    failures,
    header: {
      title,
      notes: [...notes, ...METHOD_NOTES, ...(seeds.length < ENOUGH_REPETITIONS ? [WIDE] : [])],
      command: `clha experiment ${shellPath(file)}`,
      version: VERSION,
      seeds,
      machine: { cpu: [...new Set(cells.map(({ machine }) => machine))].join(' · ') },
    },
  }
  ui.table(experimentTable(tables))
  const learnt = experimentDataTable(tables)
  if (learnt) ui.table(learnt)
  const page = await writeExperimentReport(outputDir, report)
  ui.line(`report   ${page}`)
  return page
}

const METHOD_NOTES = [
  'Rewards are of answers to test prompts that no training saw: greedy, and sampled at temperature 1. A seed is one observation: means and 95 % t-intervals are over seeds; those of a single seed of real data over its prompts, which says nothing of other seeds.',
  'p is of a paired t-test of the greedy difference, corrected for all distinct rows by Holm; the verdict is what the interval of the difference says, uncorrected.',
]

const WIDE = `With fewer than ${ENOUGH_REPETITIONS} seeds the intervals are wide: only large differences show.`
