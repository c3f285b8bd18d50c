/**
 * Splits and folds of a training by the exact prompt, so that no prompt is on both sides. `clha data split` also holds
 * prompts together that differ in case, spacing or punctuation.
 */

import type { Prompt } from '../dialogue.js'
import { promptKey } from '../dialogue.js'
import { usageError } from '../errors.js'
import { hashUnit } from '../random.js'
import type { Example } from './example.js'

export interface SplitOptions {
  /** Shares of the prompts; they add up to 1. */
  fractions: { train: number; dev: number; test?: number }
  seed: number
}

/** What a prompt is for: to train on, to choose checkpoints by, or kept for the evaluation. */
export type Part = 'train' | 'dev' | 'test'

/**
 * The part of each example. Where a prompt goes depends on the prompt and the seed alone: not on the file, its order or
 * its other rows.
 * @throws ClhaError (usage) when the shares are negative or do not add up to 1
 */
export function partsByPrompt(examples: readonly Pick<Example, 'prompt'>[], options: SplitOptions): Part[] {
  const { train, dev } = shares(options)
  return examples.map(({ prompt }) => {
    const at = hashUnit(`split:${options.seed}:${promptKey(prompt)}`)
    return at < train ? 'train' : at < train + dev ? 'dev' : 'test'
  })
}

function shares({ fractions }: SplitOptions): { train: number; dev: number } {
  const { train, dev, test = 0 } = fractions
  const isShare = (x: number) => x >= 0 && x <= 1
  if (![train, dev, test].every(isShare) || Math.abs(train + dev + test - 1) > 1e-9) {
    const message = `the shares of the split are train ${train}, dev ${dev}, test ${test}`
    throw usageError(message, 'Give shares between 0 and 1 that add up to 1.')
  }
  // Without a test share nothing may fall behind the sum by rounding.
  return { train, dev: test === 0 ? 2 : dev }
}

/** The fold of a prompt, 0 .. folds - 1; independent of `partsByPrompt` with the same seed. */
export function foldOf(prompt: Prompt, seed: number, folds: number): number {
  return Math.floor(hashUnit(`fold:${seed}:${promptKey(prompt)}`) * folds)
}
