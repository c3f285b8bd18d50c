/** Rewards from a server: several requests at a time, known scores from the cache, every new one kept at once. */
import { createHash } from 'node:crypto'
import type { Example } from '../data/example.js'
import type { Prompt } from '../dialogue.js'
import { promptKey } from '../dialogue.js'
import { type ClhaError, numericsError, resourceError, usageError } from '../errors.js'
import { inParallel } from '../http/parallel.js'
import { HttpFailure, postJson } from '../http/post-json.js'
import { withRetries } from '../http/retry.js'
import type { RewardEndpoint } from './endpoint.js'
import { type Asked, usedTokens } from './endpoint-formats.js'
import type { ScoreCache } from './score-cache.js'

export interface EndpointScoreOptions {
  cache?: ScoreCache
  /** Tokens are those that the server reports. */
  progress?(answersDone: number, tokens: number): void
  stopRequested?(): boolean
  /** Go on without examples whose answers a chat model gives no score for. */
  skipUnread?: boolean
}

export interface EndpointScored {
  /** Raw rewards [examples][answers]; undefined where scoring stopped or was skipped. */
  rewards: (number | undefined)[][]
  cached: number
  tokens: number
  /** Examples without a score, with the reason, where these are skipped. */
  unread: { example: number; reason: string }[]
}

interface Task extends Asked {
  example: number
  /** Indices of the answers. */
  indices: readonly number[]
}

/**
 * Scores every answer. After a stop request or an error, what came back before is in the cache.
 * @throws ClhaError naming the row: exit 4 when the server can't be reached or stays overloaded, exit 5 for a reward
 *   that is not finite, exit 2 for all else that the server refuses or answers wrongly
 */
export async function scoreByEndpoint(
  examples: readonly Example[],
  endpoint: RewardEndpoint,
  { cache, progress, stopRequested, skipUnread = false }: EndpointScoreOptions = {},
): Promise<EndpointScored> {
  const rewards = examples.map(({ prompt, candidates }) =>
    candidates.map(({ text }) => cache?.get(answerKey(prompt, text))),
  )
  const cached = rewards.flat().filter((r) => r !== undefined).length
  const result: EndpointScored = { rewards, cached, tokens: 0, unread: [] }
  let done = cached
  const scoreTask = async (task: Task, signal: AbortSignal) => {
    const example = examples[task.example]
    const count = (tokens: number) => {
      result.tokens += tokens
    }
    const values = await ask(endpoint, task, signal, count).catch((error: unknown) => {
      if (signal.aborted || !(error instanceof HttpFailure)) throw error
      if (!skipUnread || error.options.reply === undefined) throw rowError(example, endpoint, error)
      result.unread.push({ example: task.example, reason: error.message })
      return undefined
    })
    values?.forEach((value, i) => {
      rewards[task.example][task.indices[i]] = value
      cache?.add(answerKey(example.prompt, task.answers[i]), value)
    })
    done += task.indices.length
    progress?.(done, result.tokens)
  }
  await inParallel(missingTasks(examples, rewards, endpoint), endpoint.concurrency, scoreTask, stopRequested)
  return result
}

function missingTasks(
  examples: readonly Example[],
  rewards: readonly (readonly (number | undefined)[])[],
  { format }: RewardEndpoint,
): Task[] {
  return examples.flatMap(({ prompt, candidates }, example) => {
    const most = format.answers(prompt)
    const missing = rewards[example].flatMap((reward, i) => (reward === undefined ? [i] : []))
    const chunks = Array.from({ length: Math.ceil(missing.length / most) }, (_, k) =>
      missing.slice(k * most, (k + 1) * most),
    )
    return chunks.map((indices) => ({
      example,
      prompt,
      indices,
      answers: indices.map((i) => candidates[i].text),
    }))
  })
}

const ask = (
  endpoint: RewardEndpoint,
  task: Task,
  signal: AbortSignal,
  count: (tokens: number) => void,
): Promise<number[]> =>
  withRetries(
    async (before) => {
      const body = endpoint.format.body(task, endpoint.settings, before?.options.reply)
      const response = await postJson(endpoint.url, body, { ...endpoint, signal })
      count(usedTokens(response))
      return endpoint.format.rewards(response, task.answers.length)
    },
    { ...endpoint, signal },
  )

function rowError({ file, row }: Example, endpoint: RewardEndpoint, failure: HttpFailure): ClhaError {
  const { retry, reply, notFinite, denied } = failure.options
  const message = `${file}:${row}: reward endpoint ${endpoint.name}: ${failure.message}`
  if (reply !== undefined) {
    return usageError(message, 'another model or rubric may do better; skip_bad: true leaves such rows out')
  }
  if (notFinite) return numericsError(message, 'the reward model itself gives such a number')
  if (retry) {
    return resourceError(message, 'scores that came back are kept; run the same command again to go on')
  }
  if (denied) {
    return usageError(message, 'name the variable that holds its token: reward_endpoint_token_env')
  }
  return usageError(message, 'compare reward_endpoint and reward_endpoint_type with what the server speaks')
}

/** Content hash of one answer in its context. */
export const answerKey = (prompt: Prompt, answer: string): string =>
  createHash('sha256')
    .update(`${promptKey(prompt)}:${answer}`)
    .digest('base64url')
