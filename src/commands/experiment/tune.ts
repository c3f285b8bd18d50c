/** `clha experiment --tune`: a small grid of learning rates and betas per method, on development prompts of a seed of its own. */
import type { Experiment } from '../../config/experiment-file.js'
import { usageError } from '../../errors.js'
import type { Cell } from '../../evaluate/cells.js'
import { writeWhole } from '../../files/whole.js'
import { actingKeys } from '../../methods/registry.js'
import { shellPath } from '../../show/shell.js'
import { numeric, text } from '../../show/table.js'
import { MISSING } from '../../show/units.js'
import { mean } from '../../statistics/statistics.js'
import type { Ui } from '../../terminal/ui.js'
import type { ExperimentResult } from './experiment-result.js'
import { type CellPlan, type PlanContext, planCell, rateKey, type Trial, type Tuning } from './plan-cells.js'
import { type Failure, failedCells, runCells } from './run-cells.js'

type Tried = Tuning['tried'][number]
type Grid = NonNullable<Experiment['tune']>

interface TrialCell extends Trial {
  method: string
  plan: CellPlan
}

/** Every method once, by the first variant that has it; a variant with a learning rate of its own is left alone. */
function trialsOf(context: PlanContext, { seed, noise, learning_rates, beta_factors }: Grid): TrialCell[] {
  const trials = new Map<string, TrialCell[]>()
  const { variants, starts_from } = context.experiment
  for (const [variant, keys] of Object.entries(variants)) {
    if (Object.keys(keys).length === 0 || keys.learning_rate !== undefined) continue
    const factors = { variant, ...(noise !== undefined && { noise }) }
    const { config } = planCell(context, factors, seed)
    const method = rateKey(config, starts_from[variant])
    if (trials.has(method)) continue
    const takesBeta = keys.beta === undefined && actingKeys(config.values).includes('beta')
    const betas = takesBeta ? beta_factors?.map((factor) => factor * config.values.beta) : undefined
    trials.set(
      method,
      learning_rates.flatMap((learningRate) =>
        (betas ?? [undefined]).map((beta) => {
          const trial = { learningRate, ...(beta !== undefined && { beta }) }
          return { ...trial, method, plan: planCell(context, factors, seed, trial) }
        }),
      ),
    )
  }
  return [...trials.values()].flat()
}

/** What did best of each method. */
function bestOf(tried: readonly Tried[]): Tried[] {
  const best = new Map<string, Tried>()
  for (const t of tried) if (t.reward > (best.get(t.method)?.reward ?? -Infinity)) best.set(t.method, t)
  return [...best.values()]
}

/** Methods whose best value is the least or the largest that was tried: a better one may lie beyond. */
export function atEdge(tried: readonly Tried[]): string[] {
  const isEdge = (best: Tried, of: (t: Tried) => number | undefined) => {
    const values = new Set(tried.filter(({ method }) => method === best.method).flatMap((t) => of(t) ?? []))
    const edges = [Math.min(...values), Math.max(...values)]
    return values.size > 1 && edges.includes(of(best) as number)
  }
  return bestOf(tried)
    .filter((t) => isEdge(t, ({ learningRate }) => learningRate) || isEdge(t, ({ beta }) => beta))
    .map(({ method }) => method)
}

const entriesOf = (best: readonly Tried[], of: (t: Tried) => number | undefined) =>
  Object.fromEntries(best.flatMap((t) => (of(t) === undefined ? [] : [[t.method, of(t)]])))

/** Writes the best rate of each method, and all that was tried, to `tune.results`; what stands there is not tried again. */
export async function tune(context: PlanContext, ui: Ui): Promise<ExperimentResult> {
  const { experiment, file, outputDir, tuned } = context
  const settings = experiment.tune
  if (!settings)
    throw usageError(`${file}: no tune section`, 'name tune.learning_rates, tune.seed and tune.results')
  const { seed, noise, results } = settings
  const all = trialsOf(context, settings)
  const known = (trial: TrialCell) =>
    tuned.tried.some(
      (t) => t.method === trial.method && t.learningRate === trial.learningRate && t.beta === trial.beta,
    )
  const open = all.filter((trial) => !known(trial))
  const tried = [...tuned.tried]
  const failures: Failure[] = []
  const note = async ({ hash, rewards }: Cell) => {
    const { method, learningRate, beta } = open.find(({ plan }) => plan.hash === hash) as TrialCell
    const reward = mean(rewards.true ?? rewards.second ?? rewards.reward)
    tried.push({ method, learningRate, ...(beta !== undefined && { beta }), reward })
    const command = `clha experiment ${shellPath(file)} --tune`
    const best = bestOf(tried)
    const found = { rates: entriesOf(best, (t) => t.learningRate), betas: entriesOf(best, (t) => t.beta) }
    writeWhole(results, `${JSON.stringify({ seed, noise, command, ...found, tried }, null, 2)}\n`)
  }
  const stopped = await runCells(
    open.map(({ plan }) => plan),
    ui,
    failures,
    note,
    true,
  )
  ui.table({
    columns: [text('method'), numeric('learning rate'), numeric('beta'), numeric('reward')],
    rows: tried.map((t) => [
      t.method,
      t.learningRate.toExponential(),
      String(t.beta ?? MISSING),
      t.reward.toFixed(3),
    ]),
  })
  const edge = stopped ? [] : atEdge(tried)
  if (edge.length > 0)
    ui.warn(
      `the best of ${edge.join('; ')} lies at the edge of what was tried`,
      'give values beyond it in tune.learning_rates or tune.beta_factors; what was tried is kept',
    )
  if (failures.length > 0 && !stopped) throw failedCells(failures)
  ui.line(`rates    ${results}`)
  const finished = all.length - open.length + tried.length - tuned.tried.length
  return { outputDir, cells: all.length, finished, failed: failures.length, stopped }
}
