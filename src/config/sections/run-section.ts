/** Config section: the run folder, its logs and its checkpoints. */
import { z } from 'zod'
import { count, oneOrMany, text } from '../../value-shapes.js'

const REPORTERS = ['tensorboard', 'mlflow', 'jsonl', 'all', 'none'] as const

/** What `all` means. */
const EVERYWHERE = ['tensorboard', 'jsonl'] as const

export const runSection = {
  output_dir: text().optional().describe("folder of the run; unset: runs/<the config file's name>"),
  resume_from_checkpoint: z
    .union([z.boolean(), text()])
    .default(false)
    .describe('true: go on from the newest checkpoint of output_dir; or the folder of a checkpoint or run'),
  allow_inexact: z
    .boolean()
    .default(false)
    .describe(
      'resume although machine or versions differ, so that the numbers may differ in the last digits',
    ),
  logging_steps: count().default(10).describe('optimizer steps between log rows'),
  eval_steps: count()
    .optional()
    .describe('optimizer steps between evaluations, besides those after each epoch; legacy: 600'),
  eval_generation_steps: count()
    .optional()
    .describe('optimizer steps between generations of sample answers; unset: none'),
  eval_on_start: z.boolean().default(false).describe('evaluate once before the first step'),
  guidance: z
    .boolean()
    .default(true)
    .describe('warn during training when the metrics take a turn for the worse, with advice'),
  save_steps: count()
    .optional()
    .describe('optimizer steps between checkpoints, besides those after each epoch; legacy: 600'),
  save_total_limit: count().default(2).describe('checkpoints kept besides the best one'),
  metric_for_best_model: text().default('eval_loss').describe('metric that decides which checkpoint is best'),
  greater_is_better: z
    .boolean()
    .optional()
    .describe('whether a larger metric is better; unset: true unless its name ends in loss'),
  load_best_model_at_end: z
    .boolean()
    .default(true)
    .describe('the result is the best checkpoint, not the last'),
  early_stopping_patience: count()
    .optional()
    .describe('evaluations without improvement after which training stops; unset: never'),
  report_to: oneOrMany(z.enum(REPORTERS))
    .prefault(['jsonl'])
    .transform((names) => [...new Set(names.flatMap((name) => (name === 'all' ? EVERYWHERE : [name])))])
    .describe(
      'where metrics are written: tensorboard, jsonl, mlflow (the server of MLFLOW_TRACKING_URI), all (tensorboard and jsonl) or none',
    ),
}

export const quickstartSection = {
  real: z
    .boolean()
    .default(false)
    .describe('a real chat model learns from its own answers; fetches it once, 93 MB'),
  seeds: count().default(1).describe('number of seeds that quickstart repeats the experiment with'),
}
