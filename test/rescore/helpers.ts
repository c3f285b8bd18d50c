/** Small examples for the rescoring tests. */
import type { Example } from '../../src/data/example.js'
import { type RankOptions, rankLists } from '../../src/rescore/rank.js'

export function example(n: number, human: number[][] = [], extra: Partial<Example> = {}): Example {
  return {
    id: 'x',
    prompt: [{ role: 'user', content: 'Why?' }],
    candidates: Array.from({ length: n }, (_, i) => ({ text: `answer ${i}` })),
    preferences: human.map(([better, worse]) => ({ better, worse })),
    source: 'test',
    file: 'pairs.jsonl',
    row: 1,
    ...extra,
  }
}

export const rank: RankOptions = {
  labelSource: 'posterior',
  pairWeight: 'soft',
  minConfidence: 0.8,
  sftGate: 'soft',
  gateQuantile: 0.25,
}
export const scale = () => ({ temperature: 2, labelError: 0.25 })
export const texts = (...t: string[]) => t.map((text) => ({ text }))

/** kept, doubtful, reversed: one label each, in two sources. */
export const three = () =>
  rankLists(
    [
      example(2, [[0, 1]], { id: 'kept', source: 'a', candidates: texts('longer', 'short') }),
      example(2, [[1, 0]], { id: 'doubtful', source: 'a', candidates: texts('xx', 'yy') }),
      example(2, [[0, 1]], { id: 'reversed', source: 'b', candidates: texts('long answer', 'x') }),
    ],
    [
      [4, 0],
      [1, 0.2],
      [0, 4],
    ],
    rank,
    scale,
  )
