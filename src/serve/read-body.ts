/** The body of a request: bytes, text, JSON, fields; each refused by what is wrong with it. */
import type { Context } from 'hono'
import type { z } from 'zod'
import { jsonFault } from '../files/strict-json.js'
import { ApiError, badRequest, busy, named } from './api-error.js'

/** The fields of a request in the given shape. @throws ApiError 400 naming the field, 413, 429 */
export type ReadBody = <T>(c: Context, schema: z.ZodType<T>) => Promise<T>

/** Levels of nesting: what is asked for here has five. */
const DEPTH = 32
/** Values of one request: a million token ids. */
const VALUES = 2 ** 20
/** Bodies of the largest size that are read at a time; smaller ones are more. */
const TOGETHER = 8

/** @param largest bytes of one request */
export function bodyReader(largest: number): ReadBody {
  /** Bytes of all bodies that are being read now. */
  const held = { bytes: 0 }
  return async (c, schema) => fieldsOf(decoded(await bytesOf(c, largest, held)), schema)
}

async function bytesOf(c: Context, largest: number, held: { bytes: number }): Promise<Uint8Array> {
  const tooLarge = () => new ApiError(413, `the request is larger than ${largest / 2 ** 20} MiB`)
  if (Number(c.req.header('content-length') ?? 0) > largest) throw tooLarge()
  const reader = c.req.raw.body?.getReader()
  const parts: Uint8Array[] = []
  let size = 0
  try {
    while (reader) {
      const { done, value } = await reader.read().catch(cutOff)
      if (done) break
      size += value.byteLength
      held.bytes += value.byteLength
      if (size > largest) throw tooLarge()
      if (held.bytes > TOGETHER * largest) throw busy()
      parts.push(value)
    }
    return Buffer.concat(parts, size)
  } catch (error) {
    await reader?.cancel().catch(() => {})
    throw error
  } finally {
    held.bytes -= size
  }
}

const cutOff = (): never => {
  throw badRequest('the request was cut off')
}

function fieldsOf<T>(text: string, schema: z.ZodType<T>): T {
  const fault = jsonFault(text, { depth: DEPTH, values: VALUES })
  if (fault) throw badRequest(`the body is refused: ${fault.message}`)
  const result = schema.safeParse(parsed(text))
  if (result.success) return result.data
  const [issue] = result.error.issues
  if (issue.code === 'unrecognized_keys') {
    const key = named(issue.keys[0])
    throw badRequest(`unknown field "${key}"`, [...issue.path, key].join('.'))
  }
  const param = issue.path.join('.')
  throw badRequest(param === '' ? issue.message : `${param}: ${issue.message}`, param || undefined)
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw badRequest('the body is no UTF-8')
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badRequest(`the body is no JSON: ${named((error as Error).message, 120)}`)
  }
}
