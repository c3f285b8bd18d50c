/** Log-probabilities under the reference model: computed once before training, packed, without gradients, known ones from a cache. */

import { createHash } from 'node:crypto'
import { setImmediate as yieldToLoop } from 'node:timers/promises'
import type { EncodedExample } from '../../data/encode/encoded.js'
import { packLists, valuesByList } from '../../data/encode/pack.js'
import { numericsError } from '../../errors.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { logProbSums } from '../../models/decoder/score.js'
import { type ScoreCache, scoreKey } from '../../reward/score-cache.js'

export interface ReferenceOptions {
  /** Tokens of a packed micro-batch. */
  maxTokens: number
  cache?: ScoreCache
  progress?(listsDone: number): void
  stopRequested?(): boolean
}

/** As the cache of scores, and where the scored tokens begin. */
const keyOf = (example: EncodedExample, answer: number): string => {
  const { scoredFrom } = example.answers[answer]
  const key = scoreKey(example, answer)
  return scoredFrom === 0 ? key : createHash('sha256').update(`${key}:${scoredFrom}`).digest('base64url')
}

/**
 * Log-probability sums of every answer [examples][answers] under the model as it stands, its adapter included; undefined when a
 * stop was requested.
 * @throws ClhaError (exit 5) when one is not finite
 */
export async function referenceLogProbs(
  model: Decoder,
  examples: readonly EncodedExample[],
  { maxTokens, cache, progress, stopRequested }: ReferenceOptions,
): Promise<number[][] | undefined> {
  const found = examples.map((e) => e.answers.map((_, i) => cache?.get(keyOf(e, i))))
  const missing = found.flatMap((row, i) => (row.includes(undefined) ? [i] : []))
  let done = examples.length - missing.length
  const partial = missing.map((i) => examples[i])
  for (const batch of packLists(partial, { maxTokens, lastToken: false })) {
    if (stopRequested?.()) return undefined
    const sums = logProbSums(model, batch)
    for (const [list, values] of valuesByList(batch, sums)) {
      const at = missing[list]
      found[at] = values
      values.forEach((sum, k) => {
        if (!Number.isFinite(sum))
          throw numericsError(
            `${examples[at].id}: answer ${k} has log-probability ${sum} under the reference`,
          )
        cache?.add(keyOf(examples[at], k), sum)
      })
    }
    done += batch.places.length
    progress?.(done)
    await yieldToLoop()
  }
  return found as number[][]
}
