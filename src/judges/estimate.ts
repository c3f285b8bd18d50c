/** What judging will take, computed before anything is sent. */
import { chatTokens, costOf, type Prices } from './cost.js'
import type { JudgeEndpoint } from './judge-endpoint.js'
import { type Bench, messagesOf, questionsOf } from './judge-pairing.js'
import type { Pairing } from './pairings.js'

export interface Estimate {
  /** Without second ones for replies that can't be read. */
  requests: number
  promptTokens: number
  /** If every reply is as long as it may be. */
  mostReplyTokens: number
  /** Without and with such replies; absent without prices. */
  cost?: { least: number; most: number }
}

/** Replies that are known already count too; tokens are those of their bytes, for the judge's tokenizer is not known here. */
export function estimateOf(
  pairings: readonly Pairing[],
  bench: Omit<Bench, 'secret'>,
  { maxTokens }: Pick<JudgeEndpoint, 'maxTokens'>,
): Estimate {
  const asked = new Set<string>()
  let promptTokens = 0
  for (const pairing of pairings.filter(({ a, b }) => a.text !== b.text)) {
    for (const question of questionsOf(pairing, bench)) {
      const key = JSON.stringify(question)
      if (asked.has(key)) continue
      asked.add(key)
      promptTokens += chatTokens(messagesOf(question, bench.form, ''))
    }
  }
  const mostReplyTokens = asked.size * maxTokens
  const cost = (prices: Prices) => ({
    least: costOf({ prompt: promptTokens, reply: 0 }, prices),
    most: costOf({ prompt: promptTokens, reply: mostReplyTokens }, prices),
  })
  return {
    requests: asked.size,
    promptTokens,
    mostReplyTokens,
    ...(bench.prices && { cost: cost(bench.prices) }),
  }
}
