/** Config section: what the final evaluation compares, and with whom it asks. */
import { count, oneOrMany, text } from './fields.js'

export const evaluateSection = {
  eval_prompts: count().default(300).describe('most prompts to evaluate on'),
  eval_reward_model: oneOrMany(text())
    .optional()
    .describe('folder or list of folders of further reward models that judge; unset: reward_model alone'),
  baseline: oneOrMany(text())
    .optional()
    .describe('folder or list of folders of models to compare with; unset in align: the start model'),
}
