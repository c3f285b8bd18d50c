/** Scores that are known already, by what was scored with what: one JSON line each, appended as they come. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { EncodedExample } from '../data/encode/encoded.js'
import { openAppendLog, readLog } from '../files/append-log.js'

export interface ScoreCache {
  get(key: string): number | undefined
  add(key: string, score: number): void
  close(): void
}

/** Whether a file of this name holds known scores. */
export const isScoreFile = (name: string): boolean => /^scores-[0-9a-f]{16}\.jsonl$/.test(name)

/** Content hash of one answer in its context, as the model sees it. */
export function scoreKey(example: EncodedExample, answer: number): string {
  const hash = createHash('sha256')
  const { promptIds, answers } = example
  hash.update(`${promptIds.length}:`)
  hash.update(new Uint8Array(promptIds.buffer, promptIds.byteOffset, promptIds.byteLength))
  const { ids } = answers[answer]
  hash.update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength))
  return hash.digest('base64url')
}

/**
 * @param scorer hash of everything that makes the scorer: its weights, its config, its dtype
 * @param earlier what the same scorer was called before: its scores are read and stay where they are
 */
export function openScoreCache(dir: string, scorer: string, earlier: readonly string[] = []): ScoreCache {
  const pathOf = (name: string) => join(dir, `scores-${name.slice(0, 16)}.jsonl`)
  const log = openAppendLog(pathOf(scorer))
  const known = new Map<string, number>()
  for (const line of [...earlier.flatMap((name) => readLog(pathOf(name)).lines), ...log.lines]) {
    const [key, score] = parse(line)
    if (key !== undefined) known.set(key, score)
  }
  return {
    get: (key) => known.get(key),
    add: (key, score) => {
      known.set(key, score)
      log.append(JSON.stringify([key, score]))
    },
    close: log.close,
  }
}

function parse(line: string): [string, number] | [undefined, number] {
  try {
    const value: unknown = JSON.parse(line)
    if (Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'number')
      return [value[0], value[1]]
  } catch {
    // Not a score; it will be computed again.
  }
  return [undefined, 0]
}
