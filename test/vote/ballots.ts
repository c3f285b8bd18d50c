/** Comparisons to vote on, for tests. */
import { join } from 'node:path'
import { openComparison } from '../../src/verdicts/comparison-file.js'
import { answerHash } from '../../src/verdicts/shapes.js'
import type { ComparisonItem } from '../../src/verdicts/types.js'
import { type Booth, type BoothOptions, openBooth } from '../../src/vote/booth.js'
import { temporaryFolder } from '../helpers/folders.js'

/** Answers say which item they are of, and a number that stands for their system. */
export const itemsOf = (count: number, systems: readonly string[]): ComparisonItem[] =>
  Array.from({ length: count }, (_, i) => ({
    item: `item ${i}`,
    prompt: `Question ${i}?`,
    answers: systems.map((system, k) => {
      const text = `text ${i}.${k}`
      return { system, answer: answerHash(text), text }
    }),
  }))

export const SECRET = 's'.repeat(64)

/** A booth over a file; opening it again is what a restart does. */
export function boothOn(items: readonly ComparisonItem[], options: Partial<BoothOptions> = {}) {
  const path = join(temporaryFolder(), 'votes.jsonl')
  let log = openComparison(path, items, { lock: () => ({ release: () => {} }) })
  const open = () => openBooth(log, { mode: 'pair', repeats: 0, secret: SECRET, ...options })
  let booth: Booth = open()
  return {
    path,
    booth: () => booth,
    rows: () => log.comparison.rows,
    restart(change: Partial<BoothOptions> = {}) {
      log.close()
      log = openComparison(path, items, { lock: () => ({ release: () => {} }) })
      booth = openBooth(log, { mode: 'pair', repeats: 0, secret: SECRET, ...options, ...change })
      return log.comparison.rows
    },
  }
}

/** The number of an answer's system. */
export const systemOf = (text: string): number => Number(/\.(\d+)$/.exec(text)?.[1])
