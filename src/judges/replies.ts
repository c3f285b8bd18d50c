/** Every reply that a judge gave, by what it was asked: one JSON line each, on the disk before it is used. */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { usageError } from '../errors.js'
import { openAppendLog } from '../files/append-log.js'
import type { Tokens } from './cost.js'

const number = z.int().min(0)

const replyShape = z.strictObject({
  /** SHA-256 of the request: model, messages, sampling settings, to the byte. */
  key: z.string(),
  /** The model that was asked. */
  model: z.string(),
  text: z.string(),
  finish: z.string().optional(),
  /** Why the model would not answer, where the server says so. */
  refusal: z.string().optional(),
  /** As the server counts them, or as they were estimated. */
  tokens: z.strictObject({ prompt: number, reply: number, estimated: z.literal(true).optional() }),
  milliseconds: z.number().min(0),
  at: z.string(),
})

/** A request that cost something and brought no reply. */
const lostShape = z.strictObject({ model: z.string(), lost: number, at: z.string() })

const headerShape = z.strictObject({
  kind: z.literal('clha judge replies'),
  version: z.literal(1),
  /** Random; the marks around the material come from it. */
  secret: z.string().min(32),
})

export type Reply = z.output<typeof replyShape>

export interface Replies {
  secret: string
  get(key: string): Reply | undefined
  /** Whether the model ever replied. */
  any(model: string): boolean
  /** The reply is on the disk when this returns. */
  add(reply: Reply): void
  /** Counts the prompt tokens of a request that timed out. */
  lose(model: string, tokens: number): void
  /** Tokens of every request to the model that the file knows of. */
  tokens(model: string): Tokens
  close(): void
}

/** @throws ClhaError (exit 2) for a file of something else, and for a line that was changed */
export function openReplies(path: string): Replies {
  const log = openAppendLog(path)
  const write = (value: object) => {
    log.append(JSON.stringify(value))
    log.sync()
  }
  const [first, ...lines] = log.lines
  if (first === undefined) {
    write({ kind: 'clha judge replies', version: 1, secret: randomBytes(16).toString('hex') })
    log.close()
    return openReplies(path)
  }
  const { secret } = shaped(first, headerShape, `${path}:1`)
  const known = new Map<string, Reply>()
  const spent = new Map<string, Tokens>()
  const tokens = (model: string) => spent.get(model) ?? { prompt: 0, reply: 0 }
  const count = (model: string, { prompt, reply }: Tokens) => {
    const before = tokens(model)
    spent.set(model, { prompt: before.prompt + prompt, reply: before.reply + reply })
  }
  const take = (reply: Reply) => {
    known.set(reply.key, reply)
    count(reply.model, reply.tokens)
  }
  for (const [i, line] of lines.entries()) {
    const value = shaped(line, z.union([replyShape, lostShape]), `${path}:${i + 2}`)
    if ('lost' in value) count(value.model, { prompt: value.lost, reply: 0 })
    else take(value)
  }
  return {
    secret,
    get: (key) => known.get(key),
    any: (model) => tokens(model).reply > 0 || [...known.values()].some((reply) => reply.model === model),
    add(reply) {
      write(reply)
      take(reply)
    },
    lose(model, lost) {
      write({ model, lost, at: new Date().toISOString() })
      count(model, { prompt: lost, reply: 0 })
    },
    tokens,
    close: log.close,
  }
}

function shaped<T>(line: string, shape: z.ZodType<T>, where: string): T {
  try {
    return shape.parse(JSON.parse(line))
  } catch {
    throw usageError(
      `${where}: no reply of a judge as it was written`,
      'restore the file, or remove it: the judge is then asked again',
    )
  }
}
