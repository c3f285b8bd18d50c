/** What the lines of a comparison's file must hold, and the hashes by which they name each other. */
import { z } from 'zod'
import { messageFields } from '../data/message-schema.js'
import { sha256 } from '../files/digest.js'
import { RATER_KINDS, VERDICTS } from './types.js'

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256 in hex')
const name = z.string().min(1)
const outcome = z.enum(['a', 'b', 'tie', 'both_bad'])
const amount = z.number().min(0)

export const headerShape = z.strictObject({
  kind: z.literal('clha comparison'),
  version: z.literal(1),
  name: z.string().optional(),
  items: z.int().min(0),
  hash,
})

export const itemShape = z.strictObject({
  item: name,
  prompt: z.union([z.string(), z.array(z.strictObject(messageFields)).min(1)]),
  source: z.string().optional(),
  answers: z.array(z.strictObject({ system: name, answer: hash, text: z.string().optional() })).min(1),
  reference: z.string().optional(),
  gold: outcome.optional(),
})

export const rowShape = z.strictObject({
  item: name,
  prompt: hash,
  a: hash,
  b: hash,
  shown: z.enum(['ab', 'ba']),
  verdict: z.enum(VERDICTS),
  grade: z.tuple([z.number(), z.number()]).optional(),
  rater: name,
  kind: z.enum(RATER_KINDS),
  systems: z.tuple([name, name]),
  settings: hash,
  milliseconds: amount.optional(),
  cost: amount.optional(),
  comment: z.string().optional(),
  gold: outcome.optional(),
  at: z.iso.datetime({ offset: true }),
})

/** The first thing wrong with a value; undefined where nothing is. */
export function shapeFault(shape: z.ZodType, value: unknown): string | undefined {
  const result = shape.safeParse(value)
  if (result.success) return undefined
  const [{ path, message }] = result.error.issues
  return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`
}

/** SHA-256 (hex) of an answer's text, by which verdicts name it. */
export const answerHash = (text: string): string => sha256(text)

/** The name of an answer whose text is not known. */
export const unknownAnswer = (item: string, system: string): string => sha256(`${item}/${system}`)
