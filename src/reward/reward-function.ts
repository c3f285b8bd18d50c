/** Rewards from a function of the user's own: a module that the config names. Its code is run here. */

import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { setImmediate as yieldToLoop } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Example } from '../data/example.js'
import { type Message, type Prompt, promptText } from '../dialogue.js'
import { numericsError, usageError } from '../errors.js'
import { sha256, sha256File } from '../files/digest.js'
import { answerKey } from './endpoint-score.js'
import type { ScoreCache } from './score-cache.js'

/**
 * @param prompt a lone question as it is, a dialogue of several turns with its roles
 * @param messages the same as data; of a literal prompt none
 * @returns the reward, higher is better
 */
export type ScoreFunction = (
  prompt: string,
  answer: string,
  messages: readonly Message[],
) => number | Promise<number>

export interface RewardFunction {
  /** As the config names it. */
  path: string
  /** SHA-256 of the file; what it imports is no part of it. */
  identity: string
  score: ScoreFunction
}

const WANTED = 'it has to export a function score(prompt, answer) that returns a finite number'

/** @throws ClhaError (exit 2) for a file that is not there, can't be run, or lacks `score` */
export async function openRewardFunction(path: string): Promise<RewardFunction> {
  const file = resolve(path)
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw usageError(`reward_function: ${path}: no such file`, `name a module (.mjs); ${WANTED}`)
  const content = await sha256File(file)
  let module: { score?: unknown }
  try {
    // A changed file is another module: Node keeps what it loaded by address.
    module = (await import(`${pathToFileURL(file).href}?sha256=${content}`)) as { score?: unknown }
  } catch (error) {
    throw usageError(`reward_function: ${path} can't be loaded: ${wordsOf(error)}`, WANTED)
  }
  const { score } = module
  if (typeof score !== 'function') throw usageError(`reward_function: ${path} has no score`, WANTED)
  return { path, identity: sha256(`function:${content}`), score: score as ScoreFunction }
}

/** Milliseconds of a function that never waits, after which signals are heard. */
const HEARD_EVERY = 50

export interface FunctionScoreOptions {
  cache?: ScoreCache
  progress?(answersDone: number): void
  stopRequested?(): boolean
}

/**
 * Scores every answer, one after another.
 * @returns rewards [examples][answers], shorter after a stop request, and how many were known
 * @throws ClhaError naming module and row: exit 2 where the function throws or returns no number, exit 5 for one that is
 *   not finite
 */
export async function scoreByFunction(
  examples: readonly Example[],
  reward: RewardFunction,
  { cache, progress, stopRequested }: FunctionScoreOptions = {},
): Promise<{ rewards: number[][]; cached: number }> {
  const rewards: number[][] = []
  let [cached, done, heard] = [0, 0, performance.now()]
  for (const example of examples) {
    const own: number[] = []
    for (const { text } of example.candidates) {
      // Signals are heard between answers.
      if (done % 64 === 0 || performance.now() - heard > HEARD_EVERY) {
        await yieldToLoop()
        heard = performance.now()
      }
      if (stopRequested?.()) return { rewards, cached }
      const key = answerKey(example.prompt, text)
      const known = cache?.get(key)
      const value = known ?? (await scoreOf(reward, example, text))
      if (known === undefined) cache?.add(key, value)
      else cached++
      own.push(value)
      progress?.(++done)
    }
    rewards.push(own)
  }
  return { rewards, cached }
}

async function scoreOf(
  { path, score }: RewardFunction,
  { file, row, prompt }: Pick<Example, 'file' | 'row' | 'prompt'>,
  answer: string,
): Promise<number> {
  const where = `${file}:${row}: reward_function ${path}`
  let value: unknown
  try {
    value = await settled(score(promptText(prompt), answer, messagesOf(prompt)))
  } catch (error) {
    throw usageError(`${where} threw: ${wordsOf(error)}`, WANTED)
  }
  if (typeof value !== 'number') throw usageError(`${where} returned ${kindOf(value)}`, WANTED)
  if (!Number.isFinite(value)) throw numericsError(`${where} returned ${value}`, WANTED)
  return value
}

/** A copy: what the function changes in it stays its own. */
const messagesOf = (prompt: Prompt): readonly Message[] =>
  typeof prompt === 'string' ? [] : structuredClone(prompt)

/** What a promise gives; an error where nothing is left that could settle it, for Node would end without a word. */
async function settled(given: number | Promise<number>): Promise<unknown> {
  if (typeof (given as { then?: unknown } | undefined)?.then !== 'function') return given
  let giveUp = () => {}
  const never = new Promise<never>((_, reject) => {
    giveUp = () => reject(new Error('its promise can never settle'))
    process.once('beforeExit', giveUp)
  })
  try {
    return await Promise.race([given, never])
  } finally {
    process.off('beforeExit', giveUp)
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const kindOf = (value: unknown): string =>
  value === undefined || value === null ? String(value) : `a ${typeof value}, no number`
