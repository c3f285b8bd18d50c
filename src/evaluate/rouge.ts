/**
 * ROUGE (Lin 2004) as the package rouge-score computes it without stemming: F1 over lower-case words of a-z and 0-9.
 * test/parity/metrics.test.ts holds it to that package.
 */
import { countNgrams } from './ngrams.js'

export interface Rouge {
  precision: number
  recall: number
  f1: number
}

const words = (text: string): string[] => text.toLowerCase().match(/[a-z0-9]+/g) ?? []

function scoreOf(matches: number, hypothesis: number, reference: number): Rouge {
  const precision = hypothesis > 0 ? matches / hypothesis : 0
  const recall = reference > 0 ? matches / reference : 0
  const f1 = precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0
  return { precision, recall, f1 }
}

/** Overlap of word n-grams. */
export function rougeN(hypothesis: string, reference: string, n: number): Rouge {
  const [h, r] = [countNgrams(words(hypothesis), n), countNgrams(words(reference), n)]
  const total = (counts: Map<string, number>) => [...counts.values()].reduce((a, b) => a + b, 0)
  let matches = 0
  for (const [ngram, count] of h) matches += Math.min(count, r.get(ngram) ?? 0)
  return scoreOf(matches, total(h), total(r))
}

/** Longest common subsequence of words. */
export function rougeL(hypothesis: string, reference: string): Rouge {
  const [h, r] = [words(hypothesis), words(reference)]
  let previous = new Uint32Array(r.length + 1)
  for (const word of h) {
    const row = new Uint32Array(r.length + 1)
    for (let j = 0; j < r.length; j++)
      row[j + 1] = word === r[j] ? previous[j] + 1 : Math.max(previous[j + 1], row[j])
    previous = row
  }
  return scoreOf(previous[r.length], h.length, r.length)
}
