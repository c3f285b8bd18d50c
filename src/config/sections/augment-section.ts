/** Config sections: further answers for a data set, rounds of sampling, and what `clha explain` shows. */
import { count, nonNegative, positive, text, wholeNumber } from '../../value-shapes.js'

export const augmentSection = {
  generation_endpoint: text()
    .optional()
    .describe(
      "http(s) address of a server that speaks OpenAI's protocol and answers the prompts; instead of the model",
    ),
  generation_endpoint_model: text().optional().describe('name of the model on that server'),
  generation_endpoint_concurrency: count().default(8).describe('requests under way at a time'),
  generation_endpoint_timeout: positive()
    .max(600)
    .default(120)
    .describe('longest wait for an answer, seconds'),
  generation_endpoint_retries: wholeNumber()
    .default(5)
    .describe('further attempts when the server is busy, fails or cannot be reached'),
  generation_endpoint_token_env: text()
    .optional()
    .describe('NAME of the environment variable that holds the token of that server'),
  answers_file: text()
    .optional()
    .describe('file of prompts and answers to take instead, in rows such as {"prompt": …, "answers": […]}'),
}

export const roundsSection = {
  rounds: count()
    .default(1)
    .describe('rounds of aligning; from the second on, the policy of the round before gives further answers'),
  round_samples: count().default(2).describe('answers that the policy gives per prompt and round'),
  round_temperature: nonNegative().default(1).describe('randomness of these answers'),
}

export const explainSection = {
  row: count().optional().describe('number of the row in its file, from 1'),
  id: text().optional().describe('id of the example, instead of its row'),
}
