import { describe, expect, test } from 'vitest'
import type { Candidate } from '../../src/data/example.js'
import type { Prompt } from '../../src/dialogue.js'
import { createDuplicates } from '../../src/inspect/duplicates.js'
import { createNearIndex } from '../../src/inspect/near-index.js'
import { bottom, jaccard, shingles } from '../../src/inspect/shingles.js'
import { createRandom } from '../../src/random.js'
import { calling, pair, user } from './rows.js'

const random = createRandom('near')
const word = () =>
  Array.from({ length: 3 + random.int(6) }, () => 'abcdefghijklmnop'[random.int(16)]).join('')
const text = (words: number) => Array.from({ length: words }, word).join(' ')

/** The definition, by sets of strings. */
function exact(a: string, b: string): number {
  const set = (s: string) => new Set(Array.from({ length: s.length - 4 }, (_, i) => s.slice(i, i + 5)))
  const [x, y] = [set(a), set(b)]
  const shared = [...x].filter((run) => y.has(run)).length
  return shared / (x.size + y.size - shared)
}

describe('shingles', () => {
  test('of "abcdefg" and "abcdefh": 2 runs of 4 are shared', () => {
    expect(jaccard(shingles('abcdefg'), shingles('abcdefh'))).toBe(0.5)
  })

  test('do not see case, width and spacing, and see everything else', () => {
    expect(jaccard(shingles('Hello  World'), shingles('ｈello\nworld '))).toBe(1)
    expect(jaccard(shingles('abc'), shingles('abd'))).toBe(0)
    expect([...shingles('  ')]).toEqual([])
    expect(jaccard(shingles(''), shingles(''))).toBe(1)
    expect(jaccard(shingles(''), shingles('abcdef'))).toBe(0)
  })

  test('give the similarity of their sets; their sketches come near to it', () => {
    for (const changed of [1, 5, 20, 60]) {
      const words = text(200).split(' ')
      const other = words.map((w, i) => (i < changed ? word() : w)).join(' ')
      const wanted = exact(words.join(' '), other)
      const [a, b] = [shingles(words.join(' ')), shingles(other)]
      expect(jaccard(bottom(a), bottom(b))).toBeGreaterThan(wanted - 0.15)
      expect(jaccard(bottom(a), bottom(b))).toBeLessThan(wanted + 0.15)
    }
  })
})

describe('the near index', () => {
  test('finds nearly equal texts among many, and no others', () => {
    const index = createNearIndex(0.8)
    const texts = Array.from({ length: 400 }, () => text(60))
    for (const t of texts) index.add([t])
    let found = 0
    for (let i = 0; i < 100; i++) {
      const match = index.find([`${texts[i]} ${word()}`])
      if (match?.index === i) found++
    }
    expect(found).toBeGreaterThanOrEqual(97)
    for (let i = 0; i < 100; i++) expect(index.find([text(60)])).toBeUndefined()
  })

  test('asks every part: a long shared prompt does not make different answers near', () => {
    const index = createNearIndex(0.8)
    const prompt = text(300)
    index.add([prompt, 'Yes, it is.'])
    expect(index.find([prompt, 'No, never!'])).toBeUndefined()
    expect(index.find([prompt, 'yes,  it is.'])).toEqual({ index: 0, similarity: 1 })
    expect(index.find([prompt])).toBeUndefined()
  })
})

describe('duplicates', () => {
  const prompt = user(text(40))
  const [good, bad] = [text(40), text(40)]

  test('are exact or near copies of a kept row, and name it', () => {
    const duplicateOf = createDuplicates({ similarity: 0.9 })
    expect(duplicateOf(pair(user(text(40)), text(40), text(40)))).toBeUndefined()
    expect(duplicateOf(pair(prompt, good, bad))).toBeUndefined()
    expect(duplicateOf(pair(prompt, good, bad))).toEqual({ kind: 'exact', first: 1, similarity: 1 })
    const near = duplicateOf(pair(prompt, `${good}!`, bad))
    expect(near).toMatchObject({ kind: 'near', first: 1 })
    expect(near?.similarity).toBeGreaterThan(0.9)
    // A copy of the row that was only near is near as well, not an exact copy of a row that is kept.
    expect(duplicateOf(pair(prompt, `${good}!`, bad))).toMatchObject({ kind: 'near', first: 1 })
    expect(duplicateOf(pair(prompt, text(40), bad))).toBeUndefined()
  })

  test('are not rows with other labels', () => {
    const duplicateOf = createDuplicates({ similarity: 0.9 })
    expect(duplicateOf(pair(prompt, good, bad))).toBeUndefined()
    expect(duplicateOf(pair(prompt, bad, good))).toBeUndefined()
    const labelled = (desirable: boolean) =>
      pair(prompt, good, bad, { candidates: [{ text: good, desirable }], preferences: [] })
    expect(duplicateOf(labelled(true))).toBeUndefined()
    expect(createDuplicates({})(labelled(false))).toBeUndefined()
  })

  test('are not rows with other labels where the texts are so long or so alike that these hide it', () => {
    const duplicateOf = createDuplicates({ similarity: 0.9 })
    const alike = `${good} ${'yes'}`
    expect(duplicateOf(pair(prompt, good, alike))).toBeUndefined()
    expect(duplicateOf(pair(prompt, alike, good))).toBeUndefined()
    expect(duplicateOf(pair(prompt, good, alike))).toMatchObject({ kind: 'exact', first: 0 })
    const one = (desirable: boolean) =>
      pair(prompt, good, bad, { candidates: [{ text: text(300).repeat(3), desirable }], preferences: [] })
    const wanted = one(true)
    expect(duplicateOf(wanted)).toBeUndefined()
    const { candidates } = wanted
    expect(duplicateOf({ ...wanted, candidates: [{ ...candidates[0], desirable: false }] })).toBeUndefined()
  })

  test('are not rows that other people judged, nor other votes', () => {
    const duplicateOf = createDuplicates({ similarity: 0.9 })
    const by = (annotator: string) =>
      pair(prompt, good, bad, { votes: [{ better: 0, worse: 1, count: 1, annotator }] })
    expect(duplicateOf(by('ann'))).toBeUndefined()
    expect(duplicateOf(by('bob'))).toBeUndefined()
    expect(duplicateOf(by('ann'))).toEqual({ kind: 'exact', first: 0, similarity: 1 })
    const votes = (count: number) => pair(prompt, good, bad, { votes: [{ better: 0, worse: 1, count }] })
    expect(duplicateOf(votes(3))).toBeUndefined()
    expect(duplicateOf(votes(2))).toBeUndefined()
  })

  test('are not rows with other tools, calls or thoughts', () => {
    const duplicateOf = createDuplicates({ similarity: 0.9 })
    const asks = (name: string): Prompt => [{ role: 'user', content: 'Weather?', tools: [{ name }] }]
    const [rome, oslo] = [calling('w', 'Rome'), calling('w', 'Oslo')]
    const rows: [Prompt, Candidate, Candidate][] = [
      [asks('w'), rome, oslo],
      [asks('w'), oslo, rome],
      [asks('forecast'), rome, oslo],
      [asks('w'), { text: good }, rome],
      [asks('w'), { text: good, reasoning_content: 'so' }, rome],
    ]
    const pairs = rows.map(([ask, ...candidates]) => pair(ask, '', '', { candidates }))
    expect(pairs.map(duplicateOf)).toEqual(pairs.map(() => undefined))
    expect(duplicateOf(pair(asks('w'), '', '', { candidates: [{ text: `${good}!` }, rome] }))).toMatchObject({
      kind: 'near',
      first: 3,
    })
    const sameQuestion = createDuplicates({ by: 'prompt', similarity: 0.9 })
    expect(['w', 'forecast'].map((name) => sameQuestion(pair(asks(name), good, bad)))).toEqual([
      undefined,
      undefined,
    ])
  })

  test('by prompt are rows with the same question', () => {
    const duplicateOf = createDuplicates({ by: 'prompt' })
    expect(duplicateOf(pair(prompt, good, bad))).toBeUndefined()
    expect(duplicateOf(pair(prompt, 'other', 'answers'))).toMatchObject({ kind: 'exact', first: 0 })
  })
})
