/** The fields of a request, checked: what is supported, what is neutral, and what is refused by name. */

import { z } from 'zod'
import { type Message, ROLES, type ToolCall } from '../dialogue.js'
import { isObject } from '../files/json.js'
import { badRequest } from './api-error.js'

/** Texts, prompts or answers of one request. */
export const MOST_TEXTS = 1024
const MOST_MESSAGES = 4096
/** Characters of a stop text. */
const LONGEST_STOP = 256

const text = z.string()
const stopText = text.min(1).max(LONGEST_STOP)

/** Fields without an effect here, which clients send all the same. */
const bystanders = {
  user: z.unknown().optional(),
  metadata: z.unknown().optional(),
  store: z.unknown().optional(),
  service_tier: z.unknown().optional(),
  safety_identifier: z.unknown().optional(),
  prompt_cache_key: z.unknown().optional(),
  prompt_cache_retention: z.unknown().optional(),
  cache_control: z.unknown().optional(),
  cache_salt: z.unknown().optional(),
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

/** A list whose length is looked at before its items are: a million wrong items are one fault. */
export const capped = <T extends z.ZodType>(item: T, most: number) =>
  z.array(z.unknown()).min(1).max(most).pipe(z.array(item))

/** An object in which a field that is null says nothing, whatever its name. */
const withoutNulls = <T extends z.ZodRawShape>(
  shape: T,
  says: (value: unknown) => boolean = (value) => value !== null,
) =>
  z.preprocess(
    (value) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).filter(([, field]) => says(field)))
        : value,
    z.strictObject(shape),
  )

const sampling = {
  model: maybe(text),
  max_tokens: maybe(z.int().min(1)),
  temperature: maybe(z.number().min(0).max(100)),
  top_p: maybe(z.number().gt(0).max(1)),
  top_k: maybe(z.int().min(-1)),
  n: maybe(z.int().min(1).max(64)),
  // Any whole number: clients draw seeds of 64 bits, which JSON's readers round alike.
  seed: maybe(z.number().refine(Number.isInteger, 'is no whole number')),
  stop: maybe(
    z.union([stopText, z.array(stopText).max(16)], {
      error: `has to be a text of 1 to ${LONGEST_STOP} characters, or a list of at most 16 of them`,
    }),
  ),
  stream: maybe(z.boolean()),
  stream_options: maybe(
    withoutNulls({
      include_usage: z.boolean().optional(),
      include_obfuscation: z.boolean().optional(),
      continuous_usage_stats: only(false),
    }),
  ),
  presence_penalty: only(0),
  frequency_penalty: only(0),
  repetition_penalty: only(1),
  length_penalty: only(1),
  min_p: only(0),
  min_tokens: only(0),
  logit_bias: only({}),
  ignore_eos: only(false),
  best_of: only(1),
  ...bystanders,
}

/** JSON as OpenAI asks for it would need the answer to be masked token by token. */
const responseFormat = z
  .unknown()
  .refine(
    (value) => JSON.stringify(value) === '{"type":"text"}',
    'only {"type": "text"} is supported: answers are not held to a JSON schema',
  )
  .optional()

const part = z.strictObject({ type: z.literal('text'), text, cache_control: z.unknown().optional() })
const content = z.union([text, capped(part, MOST_MESSAGES)], {
  error: 'has to be a text, or a list of {"type": "text", "text": …}: pictures, sound and files are not read',
})

/** What an answer of a history may hold beside its text and no template is given: only nothing is taken. */
const unsaid = { refusal: only(), annotations: only(), audio: only(), function_call: only() }

const object = z.record(z.string(), z.unknown())
/** Calls and tools of one message or request. */
const MOST_TOOLS = 1024
const message = withoutNulls(
  {
    ...unsaid,
    role: z.enum([...ROLES, 'developer']),
    content: content.optional(),
    name: text.optional(),
    tool_calls: capped(object, MOST_TOOLS).optional(),
    tool_call_id: text.optional(),
    reasoning: text.optional(),
    reasoning_content: text.optional(),
    cache_control: z.unknown().optional(),
  },
  (field) => field !== null && !(Array.isArray(field) && field.length === 0),
)

/** OpenAI's message as ours: parts of text are joined, a developer is a system, a turn of calls may have no text. */
const ownMessage = message.transform((given, ctx): Message => {
  const { role, content, name, tool_calls, tool_call_id, reasoning } = given
  const reasoning_content = given.reasoning_content ?? reasoning
  if (content === undefined && !tool_calls) {
    ctx.addIssue({ code: 'custom', path: ['content'], message: 'is missing' })
    return z.NEVER
  }
  return {
    role: role === 'developer' ? 'system' : role,
    content: typeof content === 'string' ? content : (content ?? []).map((p) => p.text).join(''),
    ...(name !== undefined && { name }),
    ...(tool_calls && { tool_calls: tool_calls.map(parsedCall) }),
    ...(tool_call_id !== undefined && { tool_call_id }),
    ...(reasoning_content && { reasoning_content }),
  }
})

export const messagesField = capped(ownMessage, MOST_MESSAGES)

/** Clients send the arguments of a call as JSON text; templates write them from the values. */
function parsedCall(call: ToolCall): ToolCall {
  const { function: made } = call
  if (!isObject(made) || typeof made.arguments !== 'string') return call
  try {
    return { ...call, function: { ...made, arguments: JSON.parse(made.arguments) as unknown } }
  } catch {
    return call
  }
}

const isTokens = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every((id) => Number.isInteger(id) && id >= 0)

/** A text, token ids, or a list of either. */
const promptField = z.unknown().transform((value, ctx): string[] | number[][] => {
  if (typeof value === 'string') return [value]
  if (isTokens(value)) return [value]
  const list = Array.isArray(value) ? value : []
  if (list.length > MOST_TEXTS) {
    ctx.addIssue(`more than ${MOST_TEXTS} prompts`)
    return z.NEVER
  }
  if (list.length > 0 && (list.every((item) => typeof item === 'string') || list.every(isTokens))) return list
  ctx.addIssue('has to be a text, a list of texts, token ids, or a list of lists of token ids')
  return z.NEVER
})

export const completionFields = withoutNulls({
  ...sampling,
  prompt: promptField,
  logprobs: z
    .union([z.int().min(0).max(20), z.literal(false)], { error: 'has to be a whole number from 0 to 20' })
    .optional(),
  echo: only(false),
  suffix: only(''),
})

export const chatFields = withoutNulls({
  ...sampling,
  messages: messagesField,
  max_completion_tokens: maybe(z.int().min(1)),
  logprobs: z.boolean().optional(),
  top_logprobs: z.int().min(0).max(20).optional(),
  tools: z.array(z.unknown()).max(MOST_TOOLS).pipe(z.array(object)).optional(),
  tool_choice: only('none', 'auto'),
  parallel_tool_calls: z.unknown().optional(),
  functions: only([]),
  function_call: only('none', 'auto'),
  response_format: responseFormat,
  modalities: only(['text']),
  audio: only(),
  prediction: only(),
  web_search_options: only(),
  reasoning_effort: only('none'),
  verbosity: only('medium'),
  chat_template_kwargs: only({}),
  add_generation_prompt: only(true),
  continue_final_message: only(false),
}).refine(
  ({ max_tokens, max_completion_tokens = max_tokens }) =>
    (max_tokens ?? max_completion_tokens) === max_completion_tokens,
  { path: ['max_completion_tokens'], message: 'is another number than max_tokens: send one of them' },
)

/**
 * The dialogue with the tools that its template is shown.
 * @throws ApiError 400 where calls of them are awaited: what a model writes is given back as its text
 */
export function dialogueOf({ messages, tools = [], tool_choice }: z.output<typeof chatFields>): Message[] {
  if (tools.length === 0) return messages
  if (tool_choice !== 'none') {
    throw badRequest(
      'calls that the model writes stay in its text and are not read into tool_calls; with tool_choice "none" it is shown the tools',
      'tools',
    )
  }
  return messages.map((message, i) => (i === 0 ? { ...message, tools } : message))
}

const samplingFields = z.object(sampling)

/** What both kinds of requests have in common. */
export type SamplingFields = z.output<typeof samplingFields> & { max_completion_tokens?: number }
