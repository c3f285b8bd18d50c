/** Config section: the HTTP server. */
import { z } from 'zod'
import { count, nonNegative, text } from '../../value-shapes.js'

export const serveSection = {
  host: text()
    .default('127.0.0.1')
    .describe('address to listen on; beyond this machine only with api_key_env'),
  port: z.int().min(0).max(65535).default(8000).describe('port to listen on; 0: any that is free'),
  api_key_env: text()
    .optional()
    .describe('NAME of the environment variable that holds the key which clients have to send'),
  served_model_name: text()
    .optional()
    .describe('name of the language model for clients; unset: model_name_or_path'),
  max_model_len: count()
    .optional()
    .describe("longest prompt with answer, tokens; unset: the model's context, at most 4096"),
  max_queue: count().default(128).describe('requests that may wait; further ones are told to come back'),
  grace_period: nonNegative()
    .default(30)
    .describe('seconds that requests under way have to finish when the server is stopped'),
}
