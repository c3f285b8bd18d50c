/** Sampled answers on disk as they come: one JSON line each, so that nothing is asked for twice. */
import * as fs from 'node:fs'
import { dirname } from 'node:path'

export interface SampledAnswer {
  text: string
  /** Who gave it, and how it was drawn. */
  origin: string
  /** Generated tokens; 0 where nobody counted them. */
  tokens: number
  finishReason: 'stop' | 'length'
  /** A reward that came with it. */
  reward?: number
}

export interface AnswerStore {
  get(prompt: string, sample: number): SampledAnswer | undefined
  add(prompt: string, sample: number, answer: SampledAnswer): void
  close(): void
}

type Line = SampledAnswer & { prompt: string; sample: number }

/**
 * @param path one file for one way to draw answers: model, decoding, seed
 * A line that a kill cut short is no answer; whole lines before it are.
 */
export function openAnswerStore(path: string): AnswerStore {
  fs.mkdirSync(dirname(path), { recursive: true })
  const known = new Map<string, SampledAnswer>()
  const text = fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : ''
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    const found = parse(line)
    if (found) known.set(`${found.prompt}:${found.sample}`, found)
  }
  const fd = fs.openSync(path, 'a')
  if (text !== '' && !text.endsWith('\n')) fs.writeSync(fd, '\n')
  return {
    get: (prompt, sample) => known.get(`${prompt}:${sample}`),
    add(prompt, sample, answer) {
      known.set(`${prompt}:${sample}`, answer)
      fs.writeSync(fd, `${JSON.stringify({ prompt, sample, ...answer } satisfies Line)}\n`)
    },
    close: () => fs.closeSync(fd),
  }
}

function parse(line: string): Line | undefined {
  try {
    const value = JSON.parse(line) as Partial<Line> | null
    if (
      typeof value?.prompt === 'string' &&
      typeof value.sample === 'number' &&
      typeof value.text === 'string'
    )
      return value as Line
  } catch {
    // Not an answer; it will be asked for again.
  }
  return undefined
}
