/** `clha experiment --tune`: a small learning-rate grid per method, on development prompts of a seed of its own. */
import { usageError } from '../../errors.js'
import type { Cell } from '../../evaluate/cells.js'
import { writeWhole } from '../../files/whole.js'
import { shellPath } from '../../show/shell.js'
import { numeric, text } from '../../show/table.js'
import { mean } from '../../statistics/statistics.js'
import type { Ui } from '../../terminal/ui.js'
import type { ExperimentResult } from './experiment-result.js'
import { type CellPlan, type PlanContext, planCell, rateKey, type Tuning } from './plan-cells.js'
import { type Failure, failedCells, runCells } from './run-cells.js'

type Tried = Tuning['tried'][number]

interface Trial {
  method: string
  plan: CellPlan
}

/** Every method once, by the first variant that has it; a variant with a learning rate of its own is left alone. */
function trialsOf(context: PlanContext, rates: readonly number[], seed: number, noise?: number): Trial[] {
  const trials = new Map<string, Trial[]>()
  for (const [variant, keys] of Object.entries(context.experiment.variants)) {
    if (Object.keys(keys).length === 0 || keys.learning_rate !== undefined) continue
    const factors = { variant, ...(noise !== undefined && { noise }) }
    const method = rateKey(planCell(context, factors, seed).config)
    if (trials.has(method)) continue
    trials.set(
      method,
      rates.map((rate) => ({ method, plan: planCell(context, factors, seed, rate) })),
    )
  }
  return [...trials.values()].flat()
}

/** The rate with the highest reward, by method. */
function bestRates(tried: readonly Tried[]): Record<string, number> {
  const best = new Map<string, Tried>()
  for (const t of tried) if (t.reward > (best.get(t.method)?.reward ?? -Infinity)) best.set(t.method, t)
  return Object.fromEntries([...best].map(([method, { learningRate }]) => [method, learningRate]))
}

/** Writes the best rate of each method, and all that was tried, to `tune.results`; what stands there is not tried again. */
export async function tune(context: PlanContext, ui: Ui): Promise<ExperimentResult> {
  const { experiment, file, outputDir, tuned } = context
  const settings = experiment.tune
  if (!settings)
    throw usageError(`${file}: no tune section`, 'name tune.learning_rates, tune.seed and tune.results')
  const { seed, noise, learning_rates: rates, results } = settings
  const all = trialsOf(context, rates, seed, noise)
  const known = (trial: Trial) =>
    tuned.tried.some(
      (t) => t.method === trial.method && t.learningRate === trial.plan.config.options.learningRate,
    )
  const open = all.filter((trial) => !known(trial))
  const tried = [...tuned.tried]
  const failures: Failure[] = []
  const note = async ({ hash, learningRate, rewards }: Cell) => {
    const { method } = open.find(({ plan }) => plan.hash === hash) as Trial
    tried.push({ method, learningRate, reward: mean(rewards.true ?? rewards.second ?? rewards.reward) })
    const command = `clha experiment ${shellPath(file)} --tune`
    writeWhole(
      results,
      `${JSON.stringify({ seed, noise, command, rates: bestRates(tried), tried }, null, 2)}\n`,
    )
  }
  const stopped = await runCells(
    open.map(({ plan }) => plan),
    ui,
    failures,
    note,
    true,
  )
  ui.table({
    columns: [text('method'), numeric('learning rate'), numeric('reward')],
    rows: tried.map((t) => [t.method, t.learningRate.toExponential(), t.reward.toFixed(3)]),
  })
  if (failures.length > 0 && !stopped) throw failedCells(failures)
  ui.line(`rates    ${results}`)
  const finished = all.length - open.length + tried.length - tuned.tried.length
  return { outputDir, cells: all.length, finished, failed: failures.length, stopped }
}
