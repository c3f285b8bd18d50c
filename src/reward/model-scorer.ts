/** Rewards from a local reward model: packed, prompts shared, known scores taken from the cache. */
import { setImmediate as yieldToLoop } from 'node:timers/promises'
import type { EncodedExample } from '../data/encode/encoded.js'
import { packLists, valuesByList } from '../data/encode/pack.js'
import { unshared } from '../data/encode/unshared.js'
import { numericsError } from '../errors.js'
import type { RewardScorer } from '../models/decoder/reward-scorer.js'
import { noGrad, scope } from '../tensor/index.js'
import { type ScoreCache, scoreKey } from './score-cache.js'

export interface ScoreOptions {
  /** Tokens of a packed micro-batch. */
  maxTokens: number
  cache?: ScoreCache
  progress?(answersDone: number, tokens: number): void
  stopRequested?(): boolean
}

export interface Scored {
  /** Raw rewards [examples][answers]. */
  rewards: number[][]
  /** Answers whose score was known. */
  cached: number
}

/** An answer still to be scored: which example, which answer. */
interface Missing {
  example: number
  answers: number[]
}

/**
 * Scores every answer; a score does not depend on what it is batched with.
 * @throws ClhaError (exit 5) when a reward is not finite
 */
export async function scoreExamples(
  scorer: RewardScorer,
  examples: readonly EncodedExample[],
  { maxTokens, cache, progress, stopRequested }: ScoreOptions,
): Promise<Scored> {
  const known = examples.map((e) => e.answers.map((_, i) => cache?.get(scoreKey(e, i))))
  const missing = known.flatMap((row, example): Missing[] => {
    const answers = row.flatMap((score, i) => (score === undefined ? [i] : []))
    return answers.length > 0 ? [{ example, answers }] : []
  })
  const cached = known.flat().filter((s) => s !== undefined).length
  const partial = missing.map(({ example, answers }) => {
    const e = examples[example]
    const open = { ...e, answers: answers.map((i) => e.answers[i]) }
    return scorer.sharesPrompts ? open : unshared(open)
  })
  let done = cached
  let tokens = 0
  for (const batch of packLists(partial, { maxTokens, lastToken: true })) {
    if (stopRequested?.()) break
    const rewards = noGrad(() => scope(() => scorer.rewards(batch).numbers()))
    for (const [list, scores] of valuesByList(batch, rewards)) {
      const { example, answers } = missing[list]
      answers.forEach((answer, j) => {
        const score = scores[j]
        if (!Number.isFinite(score))
          throw numericsError(`${examples[example].id}: answer ${answer} has reward ${score}`)
        known[example][answer] = score
        cache?.add(scoreKey(examples[example], answer), score)
        done += 1
      })
    }
    tokens += batch.tokens.length
    progress?.(done, tokens)
    await yieldToLoop()
  }
  return { rewards: known as number[][], cached }
}
