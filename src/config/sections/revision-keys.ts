/** Config keys of names on the hub: which revision of a repository is meant. */
import { text } from '../../value-shapes.js'

export const modelRevision = {
  model_revision: text()
    .optional()
    .describe(
      'branch, tag or commit of a model_name_or_path on the hub; unset: main, or that after @ in the name',
    ),
}

export const datasetRevision = {
  dataset_revision: text()
    .optional()
    .describe('branch, tag or commit of data on the hub; unset: main, or that after @ in each name'),
}
