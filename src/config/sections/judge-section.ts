/** Config section: a judge behind HTTP, and how it is asked. */
import { z } from 'zod'
import { JUDGE_MODES, RESPONSE_FORMATS } from '../../grading/types.js'
import { count, nonNegative, positive, text, wholeNumber } from '../../value-shapes.js'

export const judgeSection = {
  judge_endpoint: text()
    .optional()
    .describe("http(s) address of a server that speaks OpenAI's protocol and judges answers"),
  judge_model: text().optional().describe('name of the judge on that server'),
  judge_answers_as: text()
    .optional()
    .describe('another name by which the server calls the same model in its replies'),
  judge_template: text()
    .default('helpful')
    .describe(
      'what is judged by: helpful, harmless, both, summarisation, mt-bench, alpaca-eval, or the path of a text file',
    ),
  judge_mode: z
    .enum(JUDGE_MODES)
    .default('pairwise')
    .describe('pairwise: two answers beside each other; single: a grade from 1 to 10 for each'),
  judge_pairs: z
    .enum(['all', 'first'])
    .default('all')
    .describe('of more than two systems: every two, or each one beside the first'),
  judge_orders: z
    .enum(['both', 'one'])
    .default('both')
    .describe(
      'both: each pair in both orders; one: half the price, and a preference for a place stays unseen',
    ),
  judge_reference: z
    .boolean()
    .default(false)
    .describe('show the judge the reference answer of an item that has one'),
  judge_temperature: nonNegative().default(0).describe('randomness of the judge'),
  judge_max_tokens: count().default(1024).describe('longest reply of the judge, tokens'),
  judge_response_format: z
    .enum(RESPONSE_FORMATS)
    .default('none')
    .describe('hold the reply to JSON, where the server can'),
  judge_body: z
    .record(text(), z.unknown())
    .optional()
    .describe(
      'further fields of a request, such as {max_tokens: null, max_completion_tokens: 800}; null takes one out',
    ),
  judge_concurrency: count().default(8).describe('requests under way at a time'),
  judge_requests_per_minute: count()
    .optional()
    .describe('most requests a minute; unset: as fast as they are answered'),
  judge_timeout: positive().max(600).default(120).describe('longest wait for a reply, seconds'),
  judge_retries: wholeNumber()
    .default(5)
    .describe('further attempts when the server is busy, fails or cannot be reached'),
  judge_token_env: text()
    .optional()
    .describe('NAME of the environment variable that holds the token of that server'),
  judge_prompt_price: nonNegative().optional().describe('price of a million tokens that the judge reads'),
  judge_reply_price: nonNegative().optional().describe('price of a million tokens that the judge writes'),
  judge_max_cost: positive()
    .optional()
    .describe('no request begins once as much was spent on a comparison, in the unit of the prices'),
}
