import { describe, expect, test } from 'vitest'
import { corpusBleu, legacyCharBleu, tokenize13a } from '../../src/evaluate/bleu.js'

describe('character BLEU of the reference code', () => {
  test('identical strings score 1, an empty answer 0, nothing in common 0', () => {
    expect(legacyCharBleu('the same', 'the same')).toBeCloseTo(1, 12)
    expect(legacyCharBleu('', 'reference')).toBe(0)
    expect(legacyCharBleu('xyz', 'abc')).toBe(0)
  })

  test('by hand: abcd against abce, precisions 3/4, 2/3, 1/2 and no 4-gram, is next to 0; abcde against abcdf is not', () => {
    expect(legacyCharBleu('abcd', 'abce')).toBeLessThan(1e-30)
    expect(legacyCharBleu('abcd', 'abce')).toBeGreaterThan(0)
    expect(legacyCharBleu('abcde', 'abcdf')).toBeCloseTo(((4 / 5) * (3 / 4) * (2 / 3) * (1 / 2)) ** 0.25, 12)
  })

  test('the brevity penalty: half a reference scores exp(1 - 2)', () => {
    expect(legacyCharBleu('abcde', 'abcdefghij')).toBeCloseTo(Math.exp(-1), 12)
  })

  test('repeated n-grams count only as often as in the reference', () => {
    const value = ((4 / 8) * (3 / 7) * (2 / 6) * (1 / 5)) ** 0.25
    expect(legacyCharBleu('aaaaaaaa', 'aaaa')).toBeCloseTo(value, 12)
  })

  test('a character outside the basic plane is one character', () => {
    expect(legacyCharBleu('😀abcd', '😁abcd')).toBeCloseTo(legacyCharBleu('xabcd', 'yabcd'), 12)
  })
})

describe('corpus BLEU', () => {
  test('13a sets punctuation apart, but not within numbers', () => {
    expect(tokenize13a('Hello, world! It costs 3.5% (or 1,000).')).toEqual(
      'Hello , world ! It costs 3.5 % ( or 1,000 ) .'.split(' '),
    )
    expect(tokenize13a("don't 5-6 a-b &amp; &lt;x&gt;")).toEqual("don't 5 - 6 a-b & < x >".split(' '))
  })

  test('by hand: the cat sat on the mat against the cat is on the mat', () => {
    // 5/6 words, 3/5 pairs, 1/4 triples, and no 4-gram of 3: smoothed to 1 / (2 * 3).
    const { score, counts, totals } = corpusBleu(['the cat sat on the mat'], ['the cat is on the mat'])
    expect(counts).toEqual([5, 3, 1, 0])
    expect(totals).toEqual([6, 5, 4, 3])
    expect(score).toBeCloseTo(100 * ((5 / 6) * (3 / 5) * (1 / 4) * (1 / 6)) ** 0.25, 10)
  })

  test('identical texts score 100, no common word 0, no words 0', () => {
    expect(corpusBleu(['one two three four'], ['one two three four']).score).toBeCloseTo(100, 10)
    expect(corpusBleu(['a b c d'], ['e f g h']).score).toBe(0)
    expect(corpusBleu([''], ['e f g h']).score).toBe(0)
  })

  test('the reference nearest in length counts, of two as near the shorter', () => {
    expect(corpusBleu(['a b c d e'], [['a b c d e f g', 'a b c']]).referenceLength).toBe(3)
    expect(corpusBleu(['a b c d e'], [['a b c d e f', 'a b c']]).referenceLength).toBe(6)
  })
})
