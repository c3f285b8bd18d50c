/** BLEU (Papineni et al. 2002): over characters as the reference code computed it, and over words as sacrebleu does. */
import { countNgrams, splitWords } from './ngrams.js'

const ORDER = 4
/** What NLTK puts in place of an n-gram count of 0: the smallest normal double. */
const TINY = 2.2250738585072014e-308

/**
 * Character BLEU of one answer in [0, 1], exactly as NLTK's `sentence_bleu([reference], hypothesis)` on raw strings:
 * 1- to 4-grams of code points, uniform weights, no smoothing, brevity penalty. The evaluation code of PRO and CLHA.
 * Unrelated English texts score about 0.1: comparable with published rows, and informative about little else.
 */
export function legacyCharBleu(hypothesis: string, reference: string): number {
  const h = [...hypothesis]
  const r = [...reference]
  if (h.length === 0) return 0
  let log = 0
  for (let n = 1; n <= ORDER; n++) {
    const { matches, total } = clippedMatches(h, [r], n)
    if (n === 1 && matches === 0) return 0
    log += Math.log(matches > 0 ? matches / Math.max(1, total) : TINY) / ORDER
  }
  return brevityPenalty(h.length, r.length) * Math.exp(log)
}

export interface CorpusBleu {
  /** 0 to 100. */
  score: number
  /** Matches and totals of 1- to 4-grams. */
  counts: number[]
  totals: number[]
  precisions: number[]
  brevityPenalty: number
  hypothesisLength: number
  referenceLength: number
}

/**
 * Corpus BLEU by sacrebleu's standard: 13a tokens, mixed case, exponential smoothing (Post 2018;
 * signature `case:mixed|eff:no|tok:13a|smooth:exp`).
 * @param references one text, or several, per hypothesis
 */
export function corpusBleu(
  hypotheses: readonly string[],
  references: readonly (string | readonly string[])[],
): CorpusBleu {
  const counts = new Array<number>(ORDER).fill(0)
  const totals = new Array<number>(ORDER).fill(0)
  let hypothesisLength = 0
  let referenceLength = 0
  for (const [i, hypothesis] of hypotheses.entries()) {
    const h = tokenize13a(hypothesis)
    const rs = [references[i]].flat().map(tokenize13a)
    hypothesisLength += h.length
    referenceLength += closestLength(h.length, rs)
    for (let n = 1; n <= ORDER; n++) {
      const { matches, total } = clippedMatches(h, rs, n)
      counts[n - 1] += matches
      totals[n - 1] += total
    }
  }
  const precisions = smoothedPrecisions(counts, totals)
  const penalty = brevityPenalty(hypothesisLength, referenceLength)
  const product = precisions.every((p) => p > 0)
    ? Math.exp(precisions.reduce((s, p) => s + Math.log(p), 0) / ORDER)
    : 0
  return {
    score: penalty * product,
    counts,
    totals,
    precisions,
    brevityPenalty: penalty,
    hypothesisLength,
    referenceLength,
  }
}

/** Percentages; the k-th order without a match counts as 1 / 2^k of a match. */
function smoothedPrecisions(counts: readonly number[], totals: readonly number[]): number[] {
  if (counts.every((count) => count === 0)) return counts.map(() => 0)
  let smoothing = 1
  return counts.map((count, n) => {
    if (totals[n] === 0) return 0
    if (count > 0) return (100 * count) / totals[n]
    smoothing *= 2
    return 100 / (smoothing * totals[n])
  })
}

/** N-grams of h that occur in a reference, each at most as often as in the reference that has it most often. */
function clippedMatches(h: readonly string[], references: readonly string[][], n: number) {
  const known = references.map((reference) => countNgrams(reference, n))
  let matches = 0
  for (const [ngram, count] of countNgrams(h, n)) {
    matches += Math.min(count, Math.max(0, ...known.map((counts) => counts.get(ngram) ?? 0)))
  }
  return { matches, total: Math.max(0, h.length - n + 1) }
}

function brevityPenalty(length: number, reference: number): number {
  if (length >= reference) return 1
  return length === 0 ? 0 : Math.exp(1 - reference / length)
}

/** Length of the reference nearest in length; the shorter one of two as near. */
function closestLength(length: number, references: readonly string[][]): number {
  return references
    .map((reference) => reference.length)
    .reduce((best, x) => {
      const nearer = Math.abs(x - length) - Math.abs(best - length)
      return nearer < 0 || (nearer === 0 && x < best) ? x : best
    })
}

/** The tokenization of the NIST script mteval-v13a: punctuation apart, but not inside numbers. */
export function tokenize13a(text: string): string[] {
  const plain = text
    .trimEnd()
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
  const spaced = ` ${plain} `
    .replace(/([{-~[-` -&(-+:-@/])/gu, ' $1 ')
    .replace(/([^0-9])([.,])/gu, '$1 $2 ')
    .replace(/([.,])([^0-9])/gu, ' $1 $2')
    .replace(/([0-9])(-)/gu, '$1 $2 ')
  return splitWords(spaced)
}
