/** Ranked lists as JSON lines: written whole or not at all, read strictly. */

import { open } from 'node:fs/promises'
import { z } from 'zod'
import { answerExtras, messageFields } from '../data/message-schema.js'
import { splitLines } from '../data/read/read-lines.js'
import { ClhaError, usageError } from '../errors.js'
import type { Storage } from '../files/storage.js'
import { streamWhole } from '../files/whole.js'
import type { RankedList } from './ranked.js'

const index = z.int().min(0)
const belief = z.number().min(0).max(1)
const message = z.strictObject(messageFields)
const example = z.strictObject({
  id: z.string(),
  prompt: z.union([z.string(), z.array(message)]),
  candidates: z
    .array(
      z.strictObject({
        text: z.string(),
        ...answerExtras,
        reward: z.number().optional(),
        rewards: z.record(z.string(), z.number()).optional(),
        origin: z.string().optional(),
        desirable: z.boolean().optional(),
      }),
    )
    .min(1),
  preferences: z.array(z.strictObject({ better: index, worse: index })),
  votes: z
    .array(
      z.strictObject({
        better: index,
        worse: index,
        count: z.int().min(1),
        annotator: z.string().optional(),
      }),
    )
    .optional(),
  source: z.string(),
  file: z.string(),
  row: z.int(),
})
const schema = z.strictObject({
  example,
  rewards: z.array(z.number()),
  order: z.array(index),
  pairs: z.array(
    z.strictObject({
      better: index,
      worse: index,
      distance: z.int().min(1),
      belief: z.number().min(0.5).max(1),
      weight: z.number().min(0),
    }),
  ),
  sft: z.strictObject({ index, weight: z.number().min(0).max(1) }),
  labels: z.array(
    z.strictObject({
      better: index,
      worse: index,
      verdict: z.enum(['kept', 'doubtful', 'reversed']),
      belief,
    }),
  ),
})

/**
 * Writes one list per line; `path` appears when all of them are on the disk. Returns the number of lists.
 * @throws ClhaError (usage) for a list that could not be read back, such as one with a reward that is not finite
 */
export async function writeRankedJsonl(
  path: string,
  lists: Iterable<RankedList> | AsyncIterable<RankedList>,
  storage?: Storage,
): Promise<number> {
  let count = 0
  const writeAll = async (write: (text: string) => void) => {
    for await (const list of lists) {
      // These two end a line for some readers, but JSON leaves them as they are.
      const line = JSON.stringify(list).replace(/[\u2028\u2029]/g, (c) =>
        c === '\u2028' ? '\\u2028' : '\\u2029',
      )
      const problem = problemOf(JSON.parse(line))
      if (problem) throw usageError(`${path}: list ${list.example.id} can't be written: ${problem}`)
      write(`${line}\n`)
      count++
    }
  }
  await streamWhole(path, writeAll, storage)
  return count
}

/**
 * Reads lists one by one, in constant memory. Empty lines are skipped.
 * @throws ClhaError (usage) with file, line and field for anything that is not a ranked list
 * @example
 * ```ts
 * const example = { id: '1', prompt: '2 + 2?', candidates: [{ text: '4.' }, { text: '5.' }], preferences: [{ better: 0, worse: 1 }], source: 'mine', file: 'my.jsonl', row: 1 }
 * const lists = rankLists([example], [[1.5, -0.5]], rankDefaults, () => ({ temperature: 1, labelError: 0.25 }))
 * await writeRankedJsonl('rescored.jsonl', lists)
 * for await (const list of readRankedJsonl('rescored.jsonl')) list.example.id // '1'
 * ```
 */
export async function* readRankedJsonl(path: string): AsyncGenerator<RankedList> {
  const unreadable = (error: unknown) =>
    usageError(`${path}: ${(error as Error).message}`, 'Rescored lists are made by `clha rescore`.')
  const handle = await open(path).catch((error: unknown) => Promise.reject(unreadable(error)))
  let row = 0
  try {
    if (!(await handle.stat()).isFile()) throw new Error('a folder, a pipe or a device, not a file')
    for await (const piece of splitLines(handle.createReadStream({ autoClose: false }), LONGEST)) {
      row = piece.row
      if (piece.tooLong) throw usageError(`${path}:${row}: the line is longer than 256 MiB`, AGAIN)
      const value = parse(decoded(piece.bytes, `${path}:${row}`), `${path}:${row}`)
      const problem = problemOf(value)
      if (problem)
        throw usageError(
          `${path}:${row}: ${problem}`,
          'This is no rescored list: make it with `clha rescore`.',
        )
      yield value as RankedList
    }
  } catch (error) {
    throw error instanceof ClhaError ? error : unreadable(error)
  } finally {
    await handle.close()
  }
}

/** A list holds a row, and what was made of its answers. */
const LONGEST = 2 ** 28
const AGAIN = 'The file is damaged: rescore again.'
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decoded(bytes: Buffer, at: string): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw usageError(`${at}: not UTF-8`, AGAIN)
  }
}

function parse(line: string, at: string): unknown {
  try {
    const value: unknown = JSON.parse(line)
    // Written again, only half a character stands as an escape.
    if (/\\ud[89a-f]/i.test(line) && /\\ud[89a-f]/.test(JSON.stringify(value)))
      throw new SyntaxError('a text holds half a character')
    return value
  } catch (error) {
    throw usageError(
      `${at}: not JSON (${(error as Error).message})`,
      'The file may be cut off: rescore again.',
    )
  }
}

/** The first thing that is wrong with a would-be list, in words. */
function problemOf(value: unknown): string | undefined {
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return `${issue.path.join('.') || 'the line'}: ${issue.message}`
  }
  const { example, rewards, order, pairs, labels, sft } = parsed.data
  const n = example.candidates.length
  if (rewards.length !== n) return `rewards: ${rewards.length} for ${n} candidates`
  if (order.length !== n || new Set(order).size !== n || order.some((k) => k >= n)) {
    return `order: not an order of ${n} candidates`
  }
  if (sft.index >= n) return `sft.index: ${sft.index} of ${n} candidates`
  const wrong = ({ better, worse }: { better: number; worse: number }) =>
    better >= n || worse >= n || better === worse
  const at = (name: string, k: number) => (k >= 0 ? `${name}.${k}: not two of ${n} candidates` : undefined)
  return (
    at('pairs', pairs.findIndex(wrong)) ??
    at('labels', labels.findIndex(wrong)) ??
    at('example.preferences', example.preferences.findIndex(wrong)) ??
    at('example.votes', (example.votes ?? []).findIndex(wrong))
  )
}
