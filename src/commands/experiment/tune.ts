/** `clha experiment --tune`: a small grid of learning rates and betas per method, widened where the best lies at its edge, on development prompts. */
import type { Experiment } from '../../config/experiment-file.js'
import { usageError } from '../../errors.js'
import type { Cell } from '../../evaluate/cells.js'
import { bestRole } from '../../evaluate/scorer-roles.js'
import { writeWhole } from '../../files/whole.js'
import { actingKeys } from '../../methods/registry.js'
import { shellPath } from '../../show/shell.js'
import { numeric, text } from '../../show/table.js'
import { MISSING } from '../../show/units.js'
import { mean } from '../../statistics/statistics.js'
import type { Ui } from '../../terminal/ui.js'
import { sixDigits } from './cell-figures.js'
import type { ExperimentResult } from './experiment-result.js'
import {
  type CellPlan,
  type PlanContext,
  planCell,
  rateKey,
  type Trial,
  type Tuning,
  UNTUNED,
} from './plan-cells.js'
import { type Failure, failedCells, runCells } from './run-cells.js'

type Tried = Tuning['tried'][number]
type Grid = NonNullable<Experiment['tune']>

/** How often a grid is widened by one value where the best one lies at its edge. */
const TIMES_WIDENED = 2

interface TrialCell extends Trial {
  method: string
  plan: CellPlan
}

interface TunedMethod {
  method: string
  trial: (learningRate: number, beta?: number) => TrialCell
  /** Its betas; none where it has none, or where the variant names it. */
  betas?: number[]
}

/** Every method once, by the first variant that has it; a variant with a learning rate of its own is left alone. */
function tunedMethods(context: PlanContext, { seed, noise, beta_factors }: Grid): TunedMethod[] {
  const methods = new Map<string, TunedMethod>()
  const { variants, starts_from } = context.experiment
  for (const [variant, keys] of Object.entries(variants)) {
    if (Object.keys(keys).length === 0 || keys.learning_rate !== undefined) continue
    const factors = { variant, ...(noise !== undefined && { noise }) }
    // Usual values, not those that an earlier call found.
    const { config } = planCell({ ...context, tuned: UNTUNED }, factors, seed)
    const method = rateKey(config, starts_from[variant])
    if (methods.has(method)) continue
    const takesBeta = keys.beta === undefined && actingKeys(config.values).includes('beta')
    const betas = takesBeta
      ? beta_factors?.map((factor) => sixDigits(factor * config.values.beta))
      : undefined
    const trial = (learningRate: number, beta?: number) => {
      const values = { learningRate, ...(beta !== undefined && { beta }) }
      return { ...values, method, plan: planCell(context, factors, seed, values) }
    }
    methods.set(method, { method, trial, betas })
  }
  return [...methods.values()]
}

const gridOf = ({ trial, betas = [] }: TunedMethod, rates: readonly number[]): TrialCell[] =>
  rates.flatMap((rate) => (betas.length > 0 ? betas.map((beta) => trial(rate, beta)) : [trial(rate)]))

/** Whether a value is the least or the largest of several. */
const isEdge = (value: number | undefined, tried: readonly number[]): boolean =>
  new Set(tried).size > 1 && (value === Math.min(...tried) || value === Math.max(...tried))

/**
 * One value beyond what was tried, as far as the last two are apart, where the best one is the least or the largest.
 * @returns undefined where it is not, or where the grid was widened often enough
 */
export function beyondEdge(
  best: number,
  tried: readonly number[],
  grid: readonly number[],
): number | undefined {
  const values = [...new Set(tried)].sort((a, b) => a - b)
  const at = values.indexOf(best)
  const widened = values.filter((value) => !grid.includes(value)).length
  if (!isEdge(best, values) || widened >= TIMES_WIDENED) return undefined
  return sixDigits(best * (best / values[at === 0 ? 1 : at - 1]))
}

/** What is to be tried next to a best value at the edge. */
function beyond({ method, trial, betas = [] }: TunedMethod, all: readonly Tried[], rates: readonly number[]) {
  const tried = all.filter((t) => t.method === method)
  const [best] = bestOf(tried)
  if (!best) return []
  const triedRates = tried.map(({ learningRate }) => learningRate)
  const triedBetas = tried.flatMap((t) => t.beta ?? [])
  const rate = beyondEdge(best.learningRate, triedRates, rates)
  const beta = best.beta === undefined ? undefined : beyondEdge(best.beta, triedBetas, betas)
  return [
    ...(rate === undefined ? [] : [trial(rate, best.beta)]),
    ...(beta === undefined ? [] : [trial(best.learningRate, beta)]),
  ]
}

/** What did best of each method. */
function bestOf(tried: readonly Tried[]): Tried[] {
  const best = new Map<string, Tried>()
  for (const t of tried) if (t.reward > (best.get(t.method)?.reward ?? -Infinity)) best.set(t.method, t)
  return [...best.values()]
}

/** Methods whose best value is the least or the largest that was tried: a better one may lie beyond. */
export function atEdge(tried: readonly Tried[]): string[] {
  const valuesOf = (method: string, of: (t: Tried) => number | undefined) =>
    tried.flatMap((t) => (t.method === method ? (of(t) ?? []) : []))
  const isAtEdge = (best: Tried, of: (t: Tried) => number | undefined) =>
    isEdge(of(best), valuesOf(best.method, of))
  return bestOf(tried)
    .filter((t) => isAtEdge(t, ({ learningRate }) => learningRate) || isAtEdge(t, ({ beta }) => beta))
    .map(({ method }) => method)
}

/** Rewards of another seed, under other noise or on other data can't be held against these. @throws ClhaError (exit 2) */
function requireSameTrials({ file, tuned, inputs }: PlanContext, { seed, noise, results }: Grid): void {
  if (tuned.tried.length === 0 || tuned.seed === undefined) return
  const isSame = (a?: string, b?: string) => a === undefined || b === undefined || a === b
  if (!isSame(tuned.inputs, inputs))
    throw usageError(
      `${results}: tried on other data or another start model`,
      'name another file as tune.results, or remove this one and tune anew',
    )
  if (tuned.seed === seed && tuned.noise === noise) return
  const named = (of: { seed?: number; noise?: number }) => `seed ${of.seed}, noise ${of.noise ?? MISSING}`
  throw usageError(
    `${results}: tried with ${named(tuned)}; ${file} tunes with ${named({ seed, noise })}`,
    'name another file as tune.results, or remove this one and tune anew',
  )
}

const entriesOf = (best: readonly Tried[], of: (t: Tried) => number | undefined) =>
  Object.fromEntries(best.flatMap((t) => (of(t) === undefined ? [] : [[t.method, of(t)]])))

/** Writes the best rate of each method, and all that was tried, to `tune.results`; what stands there is not tried again. */
export async function tune(context: PlanContext, ui: Ui): Promise<ExperimentResult> {
  const { experiment, file, outputDir, tuned } = context
  const settings = experiment.tune
  if (!settings)
    throw usageError(`${file}: no tune section`, 'name tune.learning_rates, tune.seed and tune.results')
  requireSameTrials(context, settings)
  const { seed, noise, results } = settings
  const methods = tunedMethods(context, settings)
  const tried = [...tuned.tried]
  const failures: Failure[] = []
  const isKnown = (trial: TrialCell) =>
    tried.some(
      (t) => t.method === trial.method && t.learningRate === trial.learningRate && t.beta === trial.beta,
    )
  const note = ({ method, learningRate, beta }: TrialCell, { rewards }: Cell) => {
    const reward = mean(rewards[bestRole((name) => name in rewards)?.name ?? 'reward'])
    tried.push({ method, learningRate, ...(beta !== undefined && { beta }), reward })
    const command = `clha experiment ${shellPath(file)} --tune`
    const best = bestOf(tried)
    const found = { rates: entriesOf(best, (t) => t.learningRate), betas: entriesOf(best, (t) => t.beta) }
    writeWhole(
      results,
      `${JSON.stringify({ seed, noise, inputs: context.inputs, command, ...found, tried }, null, 2)}\n`,
    )
  }
  let cells = 0
  let stopped = false
  let trials = methods.flatMap((method) => gridOf(method, settings.learning_rates))
  // A trial that failed would fail again: it ends the widening.
  while (trials.length > 0 && !stopped && failures.length === 0) {
    cells += trials.length
    const open = trials.filter((trial) => !isKnown(trial))
    const plans = open.map(({ plan }) => plan)
    const noteCell = (cell: Cell) => note(open.find(({ plan }) => plan.hash === cell.hash) as TrialCell, cell)
    stopped = await runCells(plans, ui, failures, noteCell, true)
    trials = methods
      .flatMap((method) => beyond(method, tried, settings.learning_rates))
      .filter((trial) => !isKnown(trial))
  }
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
  const finished = cells - failures.length
  return { outputDir, cells, finished, failed: failures.length, stopped }
}
