/** What a message of a file must hold, for zod. */
import { z } from 'zod'
import { ROLES } from '../dialogue.js'

const objects = z.array(z.record(z.string(), z.unknown()))

/** What an answer may have besides its text. */
export const answerExtras = { tool_calls: objects.optional(), reasoning_content: z.string().optional() }

export const messageFields = {
  role: z.enum(ROLES),
  content: z.string(),
  ...answerExtras,
  tool_call_id: z.string().optional(),
  name: z.string().optional(),
  tools: objects.optional(),
}
