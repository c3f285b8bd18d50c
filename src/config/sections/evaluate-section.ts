/** Config section: what the final evaluation compares, and with whom it asks. */
import { count, oneOrMany, text } from '../../value-shapes.js'

export const evaluateSection = {
  eval_prompts: count().default(300).describe('most prompts to evaluate on'),
  eval_reward_model: oneOrMany(text())
    .optional()
    .describe(
      'further reward models that judge, one or a list: folders, names on the hub, or addresses of reward servers; unset: reward_model alone',
    ),
  baseline: oneOrMany(text())
    .optional()
    .describe(
      'models to compare with, one or a list: folders, or names on the hub; unset in align: the start model',
    ),
}
