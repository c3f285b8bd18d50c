/** `clha experiment --tune`: a small learning-rate grid per method, on development prompts of a seed of its own. */

import { usageError } from '../errors.js'
import type { Cell } from '../evaluate/experiment/cells.js'
import { writeWhole } from '../evaluate/report/write.js'
import { mean } from '../rescore/statistics.js'
import type { Ui } from '../terminal/ui.js'
import { showTable } from './eval-report.js'
import { type CellPlan, type PlanContext, planCell, rateKey, type Tuning } from './experiment-plan.js'
import { type Failure, runCells } from './experiment-run.js'
import type { ExperimentResult } from './pipeline.js'

/** Every method once, by the first variant that has it; a variant with a learning rate of its own is left alone. */
function gridOf(context: PlanContext, rates: readonly number[], seed: number, noise?: number) {
  const grid = new Map<string, CellPlan[]>()
  for (const [variant, keys] of Object.entries(context.experiment.variants)) {
    if (Object.keys(keys).length === 0 || keys.learning_rate !== undefined) continue
    const factors = { variant, ...(noise !== undefined && { noise }) }
    const method = rateKey(planCell(context, factors, seed).config)
    if (grid.has(method) || context.tuned.rates[method] !== undefined) continue
    grid.set(
      method,
      rates.map((rate) => planCell(context, factors, seed, rate)),
    )
  }
  return grid
}

/** Writes the best rate of each method, and all that was tried, to `tune.results`. Methods found there are not run again. */
export async function tune(context: PlanContext, ui: Ui): Promise<ExperimentResult> {
  const { experiment, file, outputDir } = context
  const settings = experiment.tune
  if (!settings)
    throw usageError(`${file}: no tune section`, 'name tune.learning_rates, tune.seed and tune.results')
  const { seed, noise, learning_rates: rates, results } = settings
  const grid = gridOf(context, rates, seed, noise)
  const failures: Failure[] = []
  const tried: Tuning['tried'] = []
  const methodOf = new Map([...grid].flatMap(([method, plans]) => plans.map((plan) => [plan.hash, method])))
  const note = ({ hash, learningRate, rewards }: Cell) => {
    const judge = rewards.true ?? rewards.second ?? rewards.reward
    tried.push({ method: methodOf.get(hash) as string, learningRate, reward: mean(judge) })
  }
  const stopped = await runCells([...grid.values()].flat(), ui, failures, note, true)
  const best: Record<string, number> = { ...context.tuned.rates }
  for (const method of grid.keys()) {
    const own = tried.filter((t) => t.method === method)
    if (own.length === rates.length)
      best[method] = own.reduce((a, b) => (b.reward > a.reward ? b : a)).learningRate
  }
  const record = {
    seed,
    noise,
    command: `clha experiment ${file} --tune`,
    rates: best,
    tried: [...context.tuned.tried, ...tried],
  }
  await writeWhole(results, `${JSON.stringify(record, null, 2)}\n`)
  showTable(ui, {
    columns: ['method', 'learning rate', 'reward'],
    rows: tried.map((t) => [t.method, t.learningRate.toExponential(), t.reward.toFixed(3)]),
  })
  ui.line(`rates    ${results}`)
  return {
    outputDir,
    cells: rates.length * grid.size,
    finished: tried.length,
    failed: failures.length,
    stopped,
  }
}
