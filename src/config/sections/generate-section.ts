/** Config section: how answers are generated. */
import { count, fraction, nonNegative, oneOrMany, text, wholeNumber } from '../../value-shapes.js'

export const generateSection = {
  max_new_tokens: count().default(128).describe('longest answer, tokens'),
  temperature: nonNegative().default(0).describe('randomness of sampling; 0: always the likeliest token'),
  top_k: wholeNumber().default(0).describe('sample among this many likeliest tokens; 0: all'),
  top_p: fraction()
    .gt(0)
    .default(1)
    .describe('sample among the likeliest tokens of this total probability, 0 to 1'),
  stop: oneOrMany(text(), 0)
    .prefault([])
    .describe('texts at which an answer ends; legacy: the four HH role names'),
  num_samples: count().default(1).describe('answers per prompt'),
  eval_batch_size: count().default(16).describe('prompts answered at a time'),
}

export const promptSection = {
  prompt: oneOrMany(text())
    .optional()
    .describe('prompt or list of prompts to answer; unset: those of eval_dataset'),
  output_file: text().optional().describe('JSON Lines file for the answers or scores; unset: only shown'),
}
