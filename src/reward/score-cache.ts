/** Scores that are known already, by what was scored with what: one JSON line each, appended as they come. */
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import type { EncodedExample } from '../data/encode/encoded.js'

export interface ScoreCache {
  get(key: string): number | undefined
  add(key: string, score: number): void
  close(): void
}

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
  fs.mkdirSync(dir, { recursive: true })
  const pathOf = (name: string) => join(dir, `scores-${name.slice(0, 16)}.jsonl`)
  const path = pathOf(scorer)
  const known = new Map<string, number>()
  for (const name of earlier) readInto(known, pathOf(name))
  const text = readInto(known, path)
  const fd = fs.openSync(path, 'a')
  if (text !== '' && !text.endsWith('\n')) fs.writeSync(fd, '\n')
  return {
    get: (key) => known.get(key),
    add: (key, score) => {
      known.set(key, score)
      fs.writeSync(fd, `${JSON.stringify([key, score])}\n`)
    },
    close: () => fs.closeSync(fd),
  }
}

/** @returns the text of the file; a line that a kill cut short is no score, whole lines before it are */
function readInto(known: Map<string, number>, path: string): string {
  const text = fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : ''
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    const [key, score] = parse(line)
    if (key !== undefined) known.set(key, score)
  }
  return text
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
