/** Which cells an experiment has: a resolved config and a hash for each. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Experiment, inVariant } from '../../config/experiment-file.js'
import { parseConfig, type ResolvedConfig } from '../../config/load-config.js'
import { ClhaError, usageError } from '../../errors.js'
import type { Factors } from '../../evaluate/cells.js'
import { sha256 } from '../../files/digest.js'
import { variantName } from '../../methods/registry.js'
import type { WorldOptions } from '../../world/index.js'
import { QUICKSTART_SETTINGS } from '../quickstart/quickstart-config.js'

/** Raised when the way a cell is run, or the default of a setting, changes its figures. */
const CELL_VERSION = 1

export interface CellPlan extends Factors {
  seed: number
  hash: string
  config: ResolvedConfig
  /** The start model itself is judged; nothing is trained. */
  untrained: boolean
  /** Everything before the policy's own training: cells with the same start share its models and rewards. */
  start: StartPlan
}

export interface StartPlan {
  hash: string
  dir: string
  config: ResolvedConfig
  world?: WorldOptions
}

/** Keys that change no figure. */
const NEUTRAL = [
  'output_dir',
  'resume_from_checkpoint',
  'allow_inexact',
  'tokenizer_name_or_path',
  'report_to',
  'logging_steps',
  'save_total_limit',
  'threads',
]

/** Keys that act only behind the shared start: one start serves all of their values. */
const POLICY_SECTIONS = ['learning_rate', 'num_train_epochs', 'max_steps', 'method', 'mode']

/** Settings that somebody made: a key that is new, at its default, leaves the cells of earlier versions as they are. */
const figuresOf = ({ values, origin }: ResolvedConfig, leaveOut: readonly string[] = []) =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([key]) => !['default', 'unset'].includes(origin[key as keyof typeof origin]))
      .filter(([key]) => !NEUTRAL.includes(key) && !leaveOut.includes(key)),
  )

/** What `--tune` found. */
export interface Tuning {
  /** The best learning rate of each method. */
  rates: Record<string, number>
  tried: { method: string; learningRate: number; reward: number }[]
}

/** Learning rates found by `--tune`; none where there is no file yet. */
export function tunedRates({ tune }: Experiment): Tuning {
  if (!tune || !existsSync(tune.results)) return { rates: {}, tried: [] }
  return JSON.parse(readFileSync(tune.results, 'utf8')) as Tuning
}

/** What a learning rate is tuned for: the method, and its loss or mode where it has several. */
export const rateKey = ({ values }: ResolvedConfig): string => variantName(values)

export interface PlanContext {
  file: string
  experiment: Experiment
  outputDir: string
  tuned: Tuning
}

function startPlan({ file, experiment, outputDir }: PlanContext, seed: number, noise?: number): StartPlan {
  const { world: sizes, base } = experiment
  const world = sizes && {
    seed,
    noise,
    trainPairs: sizes.train_pairs,
    testPrompts: sizes.test_prompts,
    demonstrations: sizes.demonstrations,
  }
  const facts = figuresOf(resolve(file, experiment, base, seed, outputDir), POLICY_SECTIONS)
  const hash = sha256(JSON.stringify([CELL_VERSION, world ?? null, facts]))
  const dir = join(outputDir, `start-${hash.slice(0, 12)}`)
  return { hash, dir, config: resolve(file, experiment, base, seed, dir), world }
}

function resolve(
  file: string,
  { world }: Experiment,
  keys: Record<string, unknown>,
  seed: number,
  outputDir: string,
): ResolvedConfig {
  return parseConfig(world ? `${file} (starter world)` : file, world ? QUICKSTART_SETTINGS : '', {
    ...(world && { tokenizer_name_or_path: join(outputDir, 'tokenizer') }),
    ...keys,
    seed,
    output_dir: outputDir,
    resume_from_checkpoint: true,
  })
}

/**
 * The cell of one variant.
 * @throws ClhaError (exit 2) naming the variant whose config is wrong
 */
export function planCell(
  context: PlanContext,
  factors: Factors,
  seed: number,
  learningRate?: number,
): CellPlan {
  const { file, experiment, tuned } = context
  const own = experiment.variants[factors.variant]
  const start = startPlan(context, seed, factors.noise)
  const untrained = Object.keys(own).length === 0
  try {
    const with_ = (keys: object) =>
      resolve(file, experiment, { ...experiment.base, ...keys }, seed, start.dir)
    const given = with_(own)
    const rate = learningRate ?? (own.learning_rate === undefined ? tuned.rates[rateKey(given)] : undefined)
    const config = rate === undefined ? given : with_({ ...own, learning_rate: rate })
    const facts = [start.hash, factors.augmented ?? 0, untrained ? null : figuresOf(config)]
    return { ...factors, seed, start, untrained, config, hash: sha256(JSON.stringify(facts)) }
  } catch (error) {
    throw error instanceof ClhaError ? inVariant(file, factors.variant, error) : error
  }
}

/** All cells, those with the same start beside each other. */
export function planCells(context: PlanContext): CellPlan[] {
  const { noise = [undefined], augmented, raw_only, seeds, variants } = context.experiment
  const takes = (variant: string, count: number) => count === 0 || !raw_only.includes(variant)
  const plans = noise.flatMap((level) =>
    seeds.flatMap((seed) =>
      augmented.flatMap((count) =>
        Object.keys(variants)
          .filter((variant) => takes(variant, count))
          .map((variant) => {
            const world = level === undefined ? {} : { noise: level }
            const sampled = augmented.length > 1 || count > 0 ? { augmented: count } : {}
            return planCell(context, { variant, ...world, ...sampled }, seed)
          }),
      ),
    ),
  )
  const twins = new Map<string, CellPlan>()
  for (const plan of plans) {
    const twin = twins.get(plan.hash)
    if (twin && twin.variant !== plan.variant)
      throw usageError(`${context.file}: the variants ${twin.variant} and ${plan.variant} are the same`)
    twins.set(plan.hash, plan)
  }
  return plans
}
