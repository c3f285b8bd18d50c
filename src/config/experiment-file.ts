/** The file of an experiment: which variants, on which data, with which seeds; every config key may stand in it. */
import { z } from 'zod'
import { type ClhaError, usageError } from '../errors.js'
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
    })
    .optional(),
  /** Shares of labels reversed on purpose, in the starter world. */
  noise: z.array(share).min(1).optional(),
  /** Numbers of sampled answers added to each prompt; 0 is the raw data. */
  augmented: z.array(z.int().min(0)).min(1).default([0]),
  /** Variants that take raw data alone: the paper's code needs as many answers in every list. */
  raw_only: z.array(z.string()).default([]),
  /** Config keys of all cells. */
  base: keys().default({}),
  /** Config keys of each variant; `{}` is the start model as it is. */
  variants: z.record(z.string().min(1), keys()),
  /** The learning-rate grid: one seed, one level of noise, its own prompts; the choice is kept in a file. */
  tune: z
    .strictObject({
      seed: z.int().min(0),
      noise: share.optional(),
      learning_rates: z.array(z.number().positive()).min(1),
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
  for (const [i, name] of (experiment?.raw_only ?? []).entries())
    if (!Object.hasOwn(experiment?.variants ?? {}, name))
      issues.push({ where: source.locate(['raw_only', i], 'value'), text: `raw_only: no variant "${name}"` })
  if (experiment?.noise && !experiment.world)
    issues.push({
      where: source.locate(['noise'], 'key'),
      text: 'noise: labels are reversed on purpose in the starter world only; add world: {}',
    })
  if (!experiment || issues.length > 0)
    throw usageError(issues.map(({ where, text }) => `${where}  ${text}`).join('\n'))
  return experiment
}

/** An error of a variant's config, with the variant that it belongs to. */
export const inVariant = (file: string, variant: string, error: ClhaError): ClhaError =>
  usageError(`${file}, variant ${variant}: ${error.message}`, error.hint)
