/** The fields of a request, checked: what is supported, what is neutral, and what is refused by name. */

import { z } from 'zod'
import { ROLES } from '../dialogue.js'
import { badRequest } from './api-error.js'

const text = z.string()

/** Fields without an effect here, which clients send all the same. */
const bystanders = {
  user: z.unknown().optional(),
  metadata: z.unknown().optional(),
  store: z.unknown().optional(),
  service_tier: z.unknown().optional(),
  safety_identifier: z.unknown().optional(),
  prompt_cache_key: z.unknown().optional(),
  request_id: z.unknown().optional(),
  priority: z.unknown().optional(),
}

/** Only values that change nothing. */
const only = (...neutral: unknown[]) =>
  z
    .unknown()
    .refine(
      (value) => value == null || neutral.some((n) => JSON.stringify(n) === JSON.stringify(value)),
      'is not supported by this server; leave it out',
    )
    .optional()

/** A field that may be null, which means "not given". */
const maybe = <T extends z.ZodType>(type: T) => type.nullish().transform((value) => value ?? undefined)

const sampling = {
  model: maybe(text),
  max_tokens: maybe(z.int().min(1)),
  temperature: maybe(z.number().min(0).max(100)),
  top_p: maybe(z.number().gt(0).max(1)),
  top_k: maybe(z.int().min(-1)),
  n: maybe(z.int().min(1).max(64)),
  seed: maybe(z.int()),
  stop: maybe(z.union([text.min(1), z.array(text.min(1)).max(16)])),
  stream: maybe(z.boolean()),
  stream_options: maybe(z.strictObject({ include_usage: z.boolean().optional() })),
  presence_penalty: only(0),
  frequency_penalty: only(0),
  repetition_penalty: only(1),
  length_penalty: only(1),
  min_p: only(0),
  min_tokens: only(0),
  logit_bias: only({}),
  ignore_eos: only(false),
  ...bystanders,
}

const part = z.strictObject({ type: z.literal('text'), text })
const content = z.union([text, z.array(part).min(1)])
const message = z.strictObject({
  role: z.enum([...ROLES, 'developer']),
  content,
  name: z.unknown().optional(),
})

/** OpenAI's messages as ours: parts of text are joined, a developer is a system. */
export const messagesField = z
  .array(message)
  .min(1)
  .transform((messages) =>
    messages.map(({ role, content }) => ({
      role: role === 'developer' ? ('system' as const) : role,
      content: typeof content === 'string' ? content : content.map((p) => p.text).join(''),
    })),
  )

const tokenIds = z.array(z.int().min(0)).min(1)

export const completionFields = z.strictObject({
  ...sampling,
  prompt: z.union([text, z.array(text).min(1), tokenIds, z.array(tokenIds).min(1)]),
  logprobs: only(false),
  echo: only(false),
  suffix: only(''),
  best_of: only(1),
})

export const chatFields = z.strictObject({
  ...sampling,
  messages: messagesField,
  max_completion_tokens: maybe(z.int().min(1)),
  logprobs: only(false),
  top_logprobs: only(0),
  tools: only([]),
  tool_choice: only('none', 'auto'),
  parallel_tool_calls: z.unknown().optional(),
  functions: only([]),
  response_format: only({ type: 'text' }),
  modalities: only(['text']),
  add_generation_prompt: only(true),
})

const samplingFields = z.object(sampling)

/** What both kinds of requests have in common. */
export type SamplingFields = z.output<typeof samplingFields> & { max_completion_tokens?: number }

/** The body of a request in the given shape. @throws ApiError 400 naming the field */
export async function readBody<T>(request: { text(): Promise<string> }, schema: z.ZodType<T>): Promise<T> {
  let body: unknown
  try {
    body = JSON.parse(await request.text())
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw badRequest(`the body is no JSON: ${error.message}`)
  }
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const [issue] = result.error.issues
  if (issue.code === 'unrecognized_keys') {
    throw badRequest(`unknown field "${issue.keys[0]}"`, [...issue.path, issue.keys[0]].join('.'))
  }
  const param = issue.path.join('.')
  throw badRequest(param === '' ? issue.message : `${param}: ${issue.message}`, param || undefined)
}
