/** A server's JSON in the shape that is expected of it. */
import type { z } from 'zod'
import { HttpFailure } from './post-json.js'

/** @throws HttpFailure naming the place where the answer is otherwise */
export function readResponse<T>(schema: z.ZodType<T>, response: unknown): T {
  const result = schema.safeParse(response)
  if (result.success) return result.data
  const [{ path, message }] = result.error.issues
  const where = path.length === 0 ? 'the answer' : path.map(String).join('.')
  throw new HttpFailure(`unexpected answer: ${where}: ${message}: ${JSON.stringify(response).slice(0, 120)}`)
}
