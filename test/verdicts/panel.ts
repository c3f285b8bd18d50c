/** A small comparison with whatever verdicts a test gives. */
import { promptKey } from '../../src/dialogue.js'
import { answerHash } from '../../src/verdicts/shapes.js'
import type { ComparisonItem, VerdictRow } from '../../src/verdicts/types.js'

export const itemOf = (name: string, texts: Record<string, string>): ComparisonItem => ({
  item: name,
  prompt: `Question ${name}?`,
  answers: Object.entries(texts).map(([system, text]) => ({ system, answer: answerHash(text), text })),
})

/** A verdict on two systems of an item, in terms of the two as they are named. */
export function rowOf(
  item: ComparisonItem,
  [a, b]: readonly [string, string],
  verdict: VerdictRow['verdict'],
  more: Partial<VerdictRow> = {},
): VerdictRow {
  const hash = (system: string) => item.answers.find((answer) => answer.system === system)?.answer ?? ''
  return {
    item: item.item,
    prompt: promptKey(item.prompt),
    a: hash(a),
    b: hash(b),
    shown: 'ab',
    verdict,
    rater: 'ann',
    kind: 'person',
    systems: [a, b],
    settings: answerHash('page 1'),
    at: '2026-01-02T03:04:05.000Z',
    ...more,
  }
}
