/** Sampled answers on disk as they come: one JSON line each, so that nothing is asked for twice. */
import { openAppendLog } from '../../files/append-log.js'

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

/** @param path one file for one way to draw answers: model, decoding, seed */
export function openAnswerStore(path: string): AnswerStore {
  const log = openAppendLog(path)
  const known = new Map<string, SampledAnswer>()
  for (const line of log.lines) {
    const found = parse(line)
    if (found) known.set(`${found.prompt}:${found.sample}`, found)
  }
  return {
    get: (prompt, sample) => known.get(`${prompt}:${sample}`),
    add(prompt, sample, answer) {
      known.set(`${prompt}:${sample}`, answer)
      log.append(JSON.stringify({ prompt, sample, ...answer } satisfies Line))
    },
    close: log.close,
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
