/** The file of an experiment: which variants, on which data, with which seeds; every config key may stand in it. */
import { z } from 'zod'
import { type ClhaError, usageError } from '../errors.js'
import { ANNOTATORS } from '../world/annotators.js'
import { mistakesIn } from './experiment-checks.js'
import { readSource } from './source.js'
import { didYouMean, suggest } from './suggest.js'

const keys = () => z.record(z.string(), z.unknown())
const share = z.number().min(0).max(0.5)

const experimentZod = z.strictObject({
  title: z.string().min(1),
  notes: z.array(z.string()).default([]),
  /** Variant that the others are compared with. */
  baseline: z.string(),
  seeds: z.array(z.int().min(0)).min(1),
  /** Sizes of the starter world; without it `base` names the data and the start model. */
  world: z
    .strictObject({
      train_pairs: z.int().min(1).optional(),
      test_prompts: z.int().min(1).optional(),
      demonstrations: z.int().min(1).optional(),
      /** How the annotator errs: which labels are reversed. */
      annotator: z.enum(ANNOTATORS).optional(),
      /** So many pairs were looked at again by another annotator: they tell how often labels err. */
      second_labels: z.int().min(0).optional(),
      /** Whose labels the second reward model learns from; another annotator errs elsewhere, as often. */
      judge: z.enum(['same', 'another']).optional(),
    })
    .optional(),
  /** Shares of labels reversed on purpose; of real data those of its training part, on top of what is wrong already. */
  noise: z.array(share).min(1).optional(),
  /** Of real data: so many pairs are labelled a second time, as badly. The starter world has its own. */
  second_labels: z.int().min(0).optional(),
  /** Numbers of sampled answers added to each prompt; 0 is the raw data. */
  augmented: z.array(z.int().min(0)).min(1).default([0]),
  /** Variants that take raw data alone: the paper's code needs as many answers in every list. */
  raw_only: z.array(z.string()).default([]),
  /** Variants that begin with the model of another variant, such as DPO after SFT. */
  starts_from: z.record(z.string(), z.string()).default({}),
  /** Variants that may contrast next to nothing: the paper's fixed threshold does. Elsewhere that is a mistake, and the cell fails. */
  few_pairs: z.array(z.string()).default([]),
  /** Config keys of all cells. */
  base: keys().default({}),
  /** Config keys of each variant; `{}` is the start model as it is. */
  variants: z.record(z.string().min(1), keys()),
  /** The grid of learning rates and betas: one seed, one level of noise, its own prompts; the choice is kept in a file. */
  tune: z
    .strictObject({
      seed: z.int().min(0),
      noise: share.optional(),
      learning_rates: z.array(z.number().positive()).min(1),
      /** Times a method's usual beta, tried with each rate where the variant names no beta. */
      beta_factors: z.array(z.number().positive()).min(1).optional(),
      results: z.string().min(1),
    })
    .optional(),
  /** JSON Lines of finished cells. */
  results: z.string().min(1),
})

export type Experiment = z.output<typeof experimentZod>

const KEYS = Object.keys(experimentZod.shape)

/** @throws ClhaError (exit 2) with one line for every issue, and its place in the file */
export async function readExperiment(file: string): Promise<Experiment> {
  const source = await readSource(file)
  const parsed = experimentZod.safeParse(source.values)
  const issues = [...source.issues]
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys : []
      for (const key of unknown)
        issues.push({
          where: source.locate([...issue.path, key], 'key'),
          text: `unknown key "${key}".${didYouMean(suggest(key, KEYS))}`,
        })
      if (unknown.length === 0)
        issues.push({
          where: source.locate(issue.path, 'value'),
          text: `${issue.path.join('.')}: ${issue.message}`,
        })
    }
  }
  const experiment = parsed.data
  if (experiment && !Object.hasOwn(experiment.variants, experiment.baseline))
    issues.push({
      where: source.locate(['baseline'], 'value'),
      text: `baseline: no variant "${experiment.baseline}"; there are ${Object.keys(experiment.variants).join(', ')}`,
    })
  for (const { path, name } of experiment ? namedVariants(experiment) : [])
    if (!Object.hasOwn(experiment?.variants ?? {}, name))
      issues.push({ where: source.locate(path, 'value'), text: `${path[0]}: no variant "${name}"` })
  for (const [variant, before] of Object.entries(experiment?.starts_from ?? {}))
    if (Object.hasOwn(experiment?.starts_from ?? {}, before))
      issues.push({
        where: source.locate(['starts_from', variant], 'value'),
        text: `starts_from: "${before}" itself starts from another variant; one step is taken`,
      })
  if (experiment?.second_labels !== undefined && (experiment.world || !experiment.noise))
    issues.push({
      where: source.locate(['second_labels'], 'key'),
      text: `second_labels: ${experiment.world ? 'the starter world has its own, world.second_labels' : 'they are made where labels are reversed; add noise, 0 for none'}`,
    })
  for (const { path, text } of experiment ? mistakesIn(experiment) : [])
    issues.push({ where: source.locate(path, 'key'), text })
  if (!experiment || issues.length > 0)
    throw usageError(issues.map(({ where, text }) => `${where}  ${text}`).join('\n'))
  return experiment
}

/** Every place that names a variant, but for the baseline. */
function namedVariants({ raw_only, few_pairs, starts_from }: Experiment) {
  const listed = (key: string, names: readonly string[]) =>
    names.map((name, i) => ({ path: [key, i] as (string | number)[], name }))
  return [
    ...listed('raw_only', raw_only),
    ...listed('few_pairs', few_pairs),
    ...Object.entries(starts_from).flatMap(([variant, before]) => [
      { path: ['starts_from', variant], name: variant },
      { path: ['starts_from', variant], name: before },
    ]),
  ]
}

/** An error of a variant's config, with the variant that it belongs to. */
export const inVariant = (file: string, variant: string, error: ClhaError): ClhaError =>
  usageError(`${file}, variant ${variant}: ${error.message}`, error.hint)
