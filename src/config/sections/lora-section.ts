/** Config section: training an adapter in place of all weights, in the names of TRL and PEFT. */
import { z } from 'zod'
import { count, oneOrMany, positive, text } from '../../value-shapes.js'

export const loraSection = {
  use_peft: z
    .boolean()
    .default(false)
    .describe('train a LoRA adapter on the start model, which stays as it is, in place of all weights'),
  lora_r: count().default(16).describe('rank of the adapter'),
  lora_alpha: positive().default(32).describe('the change is scaled by lora_alpha / lora_r'),
  lora_dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0.05)
    .describe("share of each map's inputs that the adapter does not see in training"),
  lora_target_modules: oneOrMany(text())
    .prefault(['all-linear'])
    .describe(
      'linear maps that get one: all-linear (all but the head), names such as q_proj, or one regular expression for whole names',
    ),
  use_rslora: z.boolean().default(false).describe('scale by lora_alpha / sqrt(lora_r)'),
  modules_to_save: oneOrMany(text())
    .optional()
    .describe('modules trained whole beside the adapter, such as embed_tokens or lm_head'),
}

/** What shapes a new adapter. */
export const LORA_KEYS = (Object.keys(loraSection) as (keyof typeof loraSection)[]).filter(
  (key) => key !== 'use_peft',
)

export const mergeSection = {
  export_dir: text().optional().describe('new folder for the merged model'),
  merge_tolerance: positive()
    .default(1e-3)
    .describe(
      'largest difference of logits between adapter and merged model, relative to the largest logit (or to 1)',
    ),
}
