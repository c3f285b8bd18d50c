/** Small examples for the rescoring tests. */
import type { Example } from '../../src/data/example.js'

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
