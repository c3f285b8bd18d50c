/** Config section: a reward server that scores the answers over HTTP. */
import { z } from 'zod'
import { ENDPOINT_TYPES } from '../../reward/endpoint-formats.js'
import { count, positive, text, wholeNumber } from '../../value-shapes.js'

export const endpointSection = {
  reward_endpoint: text()
    .optional()
    .describe('http(s) address of a reward server that scores the answers; instead of a reward_model'),
  reward_endpoint_type: z
    .enum(['auto', ...ENDPOINT_TYPES])
    .default('auto')
    .describe('what the server speaks; auto: told from the path of the address'),
  reward_endpoint_model: text()
    .optional()
    .describe('name of the model on the server; unset: its only one. openai_chat needs it'),
  reward_endpoint_concurrency: count().default(8).describe('requests under way at a time'),
  reward_endpoint_timeout: positive().max(300).default(60).describe('longest wait for an answer, seconds'),
  reward_endpoint_retries: wholeNumber()
    .default(5)
    .describe('further attempts when the server is busy, fails or cannot be reached'),
  reward_endpoint_token_env: text()
    .optional()
    .describe('NAME of the environment variable that holds the token of the server'),
  reward_rubric: text()
    .optional()
    .describe(
      'openai_chat: what to judge by, as text or as the path of a text file; unset: a general rubric',
    ),
}
