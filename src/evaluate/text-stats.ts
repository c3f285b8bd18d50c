/** How answers look without anyone's judgement: length, variety, repetition, cuts. */

import { mean } from '../statistics/statistics.js'
import { characters } from '../text/lengths.js'
import { isRefusal } from '../text/refusal.js'
import { countNgrams, splitWords } from './ngrams.js'

export interface TextStats {
  /** Mean words (separated by white space) and characters (code points) per answer. */
  words: number
  characters: number
  /** Different word 1-grams and 2-grams over all of them, in the whole set (Li et al. 2016). */
  distinct1: number
  distinct2: number
  /** Mean share of an answer's word 4-grams that it has said before (Welleck et al. 2020). */
  repetition: number
  /** Share of answers without any word. */
  empty: number
  /** Share of answers that begin as a refusal does. */
  refused: number
  /** Share of answers that ended at the length limit; absent when nobody knows. */
  truncated?: number
}

/** @param truncated whether each answer ended at the length limit */
export function textStats(answers: readonly string[], truncated?: readonly boolean[]): TextStats {
  const words = answers.map(splitWords)
  return {
    words: mean(words.map((w) => w.length)),
    characters: mean(answers.map(characters)),
    distinct1: distinct(words, 1),
    distinct2: distinct(words, 2),
    repetition: mean(words.map((w) => repetition(w))),
    empty: mean(words.map((w) => Number(w.length === 0))),
    refused: mean(answers.map((answer) => Number(isRefusal(answer)))),
    ...(truncated && { truncated: mean(truncated.map(Number)) }),
  }
}

/** Different n-grams over all n-grams of some token lists; 0 where there is none. */
export function distinct(tokens: readonly (readonly string[])[], n: number): number {
  const seen = new Set<string>()
  let total = 0
  for (const list of tokens) {
    for (const [ngram, count] of countNgrams(list, n)) {
      seen.add(ngram)
      total += count
    }
  }
  return total > 0 ? seen.size / total : 0
}

/** Share of n-grams that occurred before in the same answer; 0 for answers shorter than n. */
export function repetition(words: readonly string[], n = 4): number {
  const total = words.length - n + 1
  return total > 0 ? 1 - countNgrams(words, n).size / total : 0
}
