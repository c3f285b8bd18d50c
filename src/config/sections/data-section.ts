/** Config section: where examples come from, what is kept of them, how they are split. */
import { z } from 'zod'
import { FORMAT_NAMES } from '../../data/formats/registry.js'
import { count, fraction, oneOrMany, text } from '../../value-shapes.js'
import { datasetRevision } from './revision-keys.js'

export const dataSection = {
  train_dataset: oneOrMany(text())
    .optional()
    .describe(
      'file or list of files to train on (relative paths start at the working directory), or names on the hub: org/name, org/name:path',
    ),
  eval_dataset: oneOrMany(text())
    .optional()
    .describe(
      'file or list of files to evaluate on, or names on the hub; unset: dev_fraction of train_dataset',
    ),
  ...datasetRevision,
  dataset_format: z
    .enum(['auto', ...FORMAT_NAMES])
    .default('auto')
    .describe('name of the data format; auto: recognised from the first rows'),
  columns: z
    .record(text(), z.union([text(), z.array(text()).min(2), z.null()]))
    .optional()
    .describe(
      "the file's own column names, such as {prompt: question, completions: [response_1, response_2]}; null leaves a column out",
    ),
  reward_column: oneOrMany(text())
    .optional()
    .describe(
      'column with the rewards of a list; for pairs the x of x_chosen and x_rejected; instead of a reward model; several: weighed',
    ),
  splitter: z
    .enum(['full', 'legacy'])
    .default('full')
    .describe(
      'splits HH transcripts; legacy, the default of legacy mode, drops all paragraphs after the first',
    ),
  max_length: count()
    .default(512)
    .describe('longest prompt with answer, tokens; an answer is cut at its end'),
  max_prompt_length: count()
    .optional()
    .describe('longest prompt, tokens; unset: three quarters of max_length'),
  truncation: z
    .enum(['left', 'error'])
    .default('left')
    .describe('a prompt that is too long: left cuts its oldest tokens, error stops'),
  skip_bad: z.boolean().default(false).describe('go on without rows that cannot be read, and list them'),
  max_dropped: fraction()
    .default(0.05)
    .describe('largest share of rows with nothing to learn from that may be left out, 0 to 1'),
  dev_fraction: fraction()
    .default(0.05)
    .describe(
      'share of the prompts held out to choose checkpoints, 0 to 1; 0 with an eval_dataset; not for align',
    ),
  test_fraction: fraction()
    .default(0.05)
    .describe('share of the prompts kept for the final evaluation, 0 to 1; none with an eval_dataset'),
  max_samples: count().optional().describe('use only the first examples of the data set; unset: all'),
}
