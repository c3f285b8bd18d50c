/** chrF (Popovic 2015) and chrF++ (2017) as sacrebleu computes them: F2 of character n-grams, and of word n-grams. */
import { countNgrams, splitWords } from './ngrams.js'

const CHARACTERS = 6
const BETA = 2

export interface ChrfOptions {
  /** Longest word n-grams; 0 is chrF, 2 is chrF++. */
  wordOrder?: number
}

/** Of one order: n-grams of the hypothesis, of the reference, in both. */
type Counts = [hypothesis: number, reference: number, matches: number]

/** Over a corpus, 0 to 100; counts are summed over all texts, so that long ones weigh more. */
export function corpusChrf(
  hypotheses: readonly string[],
  references: readonly string[],
  options: ChrfOptions = {},
): number {
  const total: Counts[] = []
  hypotheses.forEach((hypothesis, i) => {
    countsOf(hypothesis, references[i], options).forEach(([h, r, m], order) => {
      const [sh, sr, sm] = total[order] ?? [0, 0, 0]
      total[order] = [sh + h, sr + r, sm + m]
    })
  })
  return scoreOf(total)
}

function countsOf(hypothesis: string, reference: string, { wordOrder = 0 }: ChrfOptions): Counts[] {
  const [h, r] = [hypothesis, reference].map((text) => [...splitWords(text).join('')])
  const [hw, rw] = [hypothesis, reference].map(wordsOf)
  return [
    ...Array.from({ length: CHARACTERS }, (_, n) => overlap(h, r, n + 1)),
    ...Array.from({ length: wordOrder }, (_, n) => overlap(hw, rw, n + 1)),
  ]
}

function overlap(hypothesis: readonly string[], reference: readonly string[], n: number): Counts {
  const [h, r] = [countNgrams(hypothesis, n), countNgrams(reference, n)]
  let matches = 0
  for (const [ngram, count] of h) matches += Math.min(count, r.get(ngram) ?? 0)
  const total = (tokens: readonly string[]) => Math.max(0, tokens.length - n + 1)
  return [r.size > 0 ? total(hypothesis) : 0, total(reference), matches]
}

/** Mean precision and recall over the orders that both sides have. */
function scoreOf(counts: readonly Counts[]): number {
  const known = counts.filter(([h, r]) => h > 0 && r > 0)
  if (known.length === 0) return 0
  const precision = known.reduce((sum, [h, , m]) => sum + m / h, 0) / known.length
  const recall = known.reduce((sum, [, r, m]) => sum + m / r, 0) / known.length
  const below = BETA ** 2 * precision + recall
  return below > 0 ? (100 * (1 + BETA ** 2) * precision * recall) / below : 0
}

const PUNCTUATION = new Set('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~')

/** Words, with one sign of punctuation at an end as a word of its own. */
function wordsOf(text: string): string[] {
  return splitWords(text).flatMap((word) => {
    const letters = [...word]
    if (letters.length === 1) return [word]
    if (PUNCTUATION.has(letters[letters.length - 1]))
      return [letters.slice(0, -1).join(''), letters[letters.length - 1]]
    return PUNCTUATION.has(letters[0]) ? [letters[0], letters.slice(1).join('')] : [word]
  })
}
