/** Which cells an experiment has: a resolved config and a hash for each. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Experiment, inVariant } from '../../config/experiment-file.js'
import { parseConfig, type ResolvedConfig } from '../../config/load-config.js'
import { ClhaError, usageError } from '../../errors.js'
import type { Cell, Factors } from '../../evaluate/cells.js'
import { sha256 } from '../../files/digest.js'
import { actingKeys, methodDefaults, variantName } from '../../methods/registry.js'
import type { NoiseSettings } from '../../rescore/reversed-labels.js'
import { QUICKSTART_SETTINGS } from '../../stations/starter/starter-settings.js'
import type { WorldOptions } from '../../world/index.js'

/** Raised when the way a cell is run, or the default of a setting, changes its figures. */
const CELL_VERSION = 3

export interface CellPlan extends Factors {
  seed: number
  hash: string
  config: ResolvedConfig
  /** The start model itself is judged; nothing is trained. */
  untrained: boolean
  /** Everything before the policy's own training: cells with the same start share its models and rewards. */
  start: StartPlan
  /** The cell whose model it begins with, instead of the start's. */
  before?: CellPlan
  /** It may contrast next to nothing. */
  fewPairs: boolean
}

export interface StartPlan {
  hash: string
  /** As of the context. */
  inputs?: string
  dir: string
  config: ResolvedConfig
  world?: WorldOptions
  /** Its start model, which other starts share. */
  shared?: { hash: string; dir: string }
  /** Labels of real data that are reversed on purpose. */
  reversal?: NoiseSettings
  /** The second reward model learns from another annotator's labels. */
  otherJudge?: boolean
}

/** Keys that change no figure. */
const NEUTRAL = [
  'output_dir',
  'resume_from_checkpoint',
  'allow_inexact',
  'report_to',
  'logging_steps',
  'save_total_limit',
  'threads',
]

/** Keys that act only behind the shared start: one start serves all of their values. */
const POLICY_SECTIONS = ['learning_rate', 'num_train_epochs', 'max_steps', 'method', 'mode']

/** The starter world makes its tokenizer, in the folder of its start. */
const madeOf = ({ world, base }: Experiment): string[] =>
  world && base.tokenizer_name_or_path === undefined ? ['tokenizer_name_or_path'] : []

/** Settings that somebody made: a key that is new, at its default, leaves the cells of earlier versions as they are. */
const figuresOf = ({ values, origin }: ResolvedConfig, leaveOut: readonly string[] = []) =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([key]) => !['default', 'unset'].includes(origin[key as keyof typeof origin]))
      .filter(([key]) => !NEUTRAL.includes(key) && !leaveOut.includes(key)),
  )

/** What `--tune` found. */
export interface Tuning {
  /** Of what was tried. */
  seed?: number
  noise?: number
  inputs?: string
  /** The best learning rate of each method, and its best beta where betas were tried. */
  rates: Record<string, number>
  betas?: Record<string, number>
  tried: { method: string; learningRate: number; beta?: number; reward: number }[]
}

export const UNTUNED: Tuning = { rates: {}, tried: [] }

/** Rates found by `--tune`; none where there is no file yet. @throws ClhaError (exit 2) for another file */
export function tunedRates(path?: string): Tuning {
  if (path === undefined || !existsSync(path)) return UNTUNED
  try {
    const found = JSON.parse(readFileSync(path, 'utf8')) as Tuning | null
    if (found?.rates && Array.isArray(found.tried)) return found
  } catch {}
  throw usageError(
    `tune.results: ${path}: not what --tune writes`,
    'name another file, or remove it and tune anew',
  )
}

/** Keys that make other data, or another loss, of a method: with each of their values it is tuned apart. */
const TUNED_APART = ['label_source', 'sft_target', 'sft_weight'] as const

/** What a rate is tuned for: the method with its loss or mode, the data that it is given, the anchor, what it begins with. */
export function rateKey({ values, origin }: ResolvedConfig, before?: string): string {
  const usual = methodDefaults(values)
  const apart = TUNED_APART.filter(
    (key) => ['file', 'flag'].includes(origin[key]) && values[key] !== usual[key],
  )
  return [
    variantName(values),
    ...apart.map((key) => `${key} ${values[key]}`),
    ...(before === undefined ? [] : [`after ${before}`]),
  ].join(', ')
}

export interface PlanContext {
  file: string
  experiment: Experiment
  outputDir: string
  tuned: Tuning
  /** Hash of the data and the start model, of real data. */
  inputs?: string
}

function startPlan(
  { file, experiment, outputDir, inputs }: PlanContext,
  seed: number,
  noise?: number,
): StartPlan {
  const { world: sizes, base } = experiment
  const world = sizes && worldOf(sizes, seed, noise)
  const reversal =
    sizes || noise === undefined ? undefined : { level: noise, doubles: experiment.second_labels ?? 0, seed }
  const otherJudge = sizes?.judge === 'another'
  const facts = figuresOf(resolve(file, experiment, base, seed, outputDir), [
    ...POLICY_SECTIONS,
    ...madeOf(experiment),
  ])
  const hash = sha256(JSON.stringify([CELL_VERSION, world ?? reversal ?? null, otherJudge, facts]))
  // What was trained on other data under the same settings is not gone on with.
  const place = inputs === undefined ? hash : sha256(hash, inputs)
  const dir = join(outputDir, `start-${place.slice(0, 12)}`)
  return {
    hash,
    ...(inputs !== undefined && { inputs }),
    dir,
    config: resolve(file, experiment, base, seed, dir),
    ...(world && { world, shared: sharedStart(world, facts, outputDir) }),
    reversal,
    otherJudge,
  }
}

/** The start model of a world: demonstrations don't depend on how labels err, so all levels of noise share it. */
function sharedStart(
  { noise: _, annotator: __, secondLabels: ___, ...demonstrated }: WorldOptions,
  facts: object,
  outputDir: string,
): NonNullable<StartPlan['shared']> {
  const hash = sha256(JSON.stringify([CELL_VERSION, demonstrated, facts]))
  return { hash, dir: join(outputDir, `demonstrations-${hash.slice(0, 12)}`) }
}

function worldOf(sizes: NonNullable<Experiment['world']>, seed: number, noise?: number): WorldOptions {
  const given = {
    noise,
    annotator: sizes.annotator,
    secondLabels: sizes.second_labels,
    trainPairs: sizes.train_pairs,
    testPrompts: sizes.test_prompts,
    demonstrations: sizes.demonstrations,
  }
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return { seed, ...set }
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

/** What `--tune` tries in place of what was found. */
export interface Trial {
  learningRate: number
  beta?: number
}

/**
 * The cell of one variant.
 * @throws ClhaError (exit 2) naming the variant whose config is wrong
 */
export function planCell(context: PlanContext, factors: Factors, seed: number, trial?: Trial): CellPlan {
  const { file, experiment } = context
  const { variant, augmented = 0 } = factors
  const start = startPlan(context, seed, factors.noise)
  const untrained = Object.keys(experiment.variants[variant]).length === 0
  const earlier = experiment.starts_from[variant]
  try {
    const before =
      earlier === undefined ? undefined : planCell(context, { ...factors, variant: earlier }, seed)
    const config = variantConfig(context, variant, { seed, dir: start.dir, trial })
    const facts = [
      start.hash,
      augmented,
      untrained ? null : figuresOf(config, madeOf(experiment)),
      before?.hash ?? null,
    ]
    const hash = sha256(JSON.stringify(facts))
    const fewPairs = experiment.few_pairs.includes(variant)
    return { ...factors, seed, start, untrained, config, hash, fewPairs, ...(before && { before }) }
  } catch (error) {
    throw error instanceof ClhaError ? inVariant(file, variant, error) : error
  }
}

/** A variant's config, with what was tuned for it where it does not say otherwise. */
function variantConfig(
  { file, experiment, tuned }: PlanContext,
  variant: string,
  { seed, dir, trial }: { seed: number; dir: string; trial?: Trial },
): ResolvedConfig {
  const own = experiment.variants[variant]
  const with_ = (keys: object) => resolve(file, experiment, { ...experiment.base, ...keys }, seed, dir)
  const given = with_(own)
  const key = rateKey(given, experiment.starts_from[variant])
  const found = trial ?? { learningRate: tuned.rates[key], beta: tuned.betas?.[key] }
  const set = (name: string, value: number | undefined) =>
    value === undefined || own[name] !== undefined ? {} : { [name]: value }
  const tunedKeys = {
    ...set('learning_rate', found.learningRate),
    ...(actingKeys(given.values).includes('beta') && set('beta', found.beta)),
  }
  return Object.keys(tunedKeys).length === 0 ? given : with_({ ...own, ...tunedKeys })
}

/** All cells, seed by seed, so that a stopped run has whole tables of fewer seeds; those with the same start stand beside each other. */
export function planCells(context: PlanContext): CellPlan[] {
  const { noise = [undefined], augmented, raw_only, seeds, variants } = context.experiment
  const takes = (variant: string, count: number) => count === 0 || !raw_only.includes(variant)
  const plans = seeds.flatMap((seed) =>
    noise.flatMap((level) =>
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

/** The finished cells of a plan, by the names that it gives them: experiments may share a file of cells. */
export const finishedCells = (plans: readonly CellPlan[], known: ReadonlyMap<string, Cell>): Cell[] =>
  plans.flatMap(({ hash, variant, noise, augmented }) => {
    const cell = known.get(hash)
    return cell ? [{ ...cell, variant, noise, augmented }] : []
  })
