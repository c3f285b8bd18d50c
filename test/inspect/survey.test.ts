import { expect, test } from 'vitest'
import { mainScript } from '../../src/inspect/scripts.js'
import { createSurvey } from '../../src/inspect/survey.js'
import { pair, user } from './rows.js'

test('counts rows, answers, labels, rewards, turns and lengths', () => {
  const survey = createSurvey({ examples: 1 })
  survey.add(
    pair(user('ab cd'), 'abc', 'a', {
      candidates: [
        { text: 'abc', reward: 2 },
        { text: 'a', reward: -1 },
      ],
    }),
  )
  survey.add(
    pair('literal', 'x', 'yy', {
      candidates: [
        { text: 'x', reward: 0 },
        { text: 'yy', reward: 1 },
      ],
    }),
  )
  const labelled = pair(
    [
      { role: 'system', content: 's' },
      { role: 'user', content: 'q' },
    ],
    'x',
    'y',
    { preferences: [] },
  )
  survey.add({ ...labelled, candidates: [{ text: 'x', desirable: false }] }, { prompt: 7, answers: [3] })
  survey.fault({ file: 'f', row: 9, kind: 'structural', code: 'bad_json', reason: 'not JSON' })
  const found = survey.result()
  expect(found).toMatchObject({
    answers: 5,
    prompts: { dialogue: 2, literal: 1, system: 1 },
    answersPerRow: { 1: 1, 2: 2 },
    turns: { min: 1, max: 2 },
    preferences: { pairs: 2, rows: 2, desirable: 0, undesirable: 1 },
    rewards: { answers: 4, pairs: 2, agree: 1, values: { min: -1, max: 2 } },
    lengthBias: { pairs: 2, betterIsLonger: 0.5 },
    skipped: { bad_json: { count: 1 } },
  })
  expect(found.lengths['characters/prompt']).toMatchObject({ count: 3, min: 3, median: 5, max: 7 })
  expect(found.lengths['characters/sequence']).toMatchObject({ min: 4, max: 9 })
  expect(found.lengths['words/prompt']).toMatchObject({ max: 2 })
  expect(found.lengths['tokens/sequence']).toMatchObject({ count: 1, max: 10 })
  expect(found.examples).toHaveLength(1)
})

test('examples are drawn evenly, the same ones every time, in the order of the data', () => {
  const draw = () => {
    const survey = createSurvey({ examples: 10 })
    for (let i = 0; i < 1000; i++) survey.add(pair(user(`q${i}`), 'a', 'b', { row: i }))
    return survey.result().examples.map(({ row }) => row)
  }
  const rows = draw()
  expect(rows).toEqual(draw())
  expect(rows).toEqual(rows.toSorted((a, b) => a - b))
  expect(rows.filter((row) => row >= 500).length).toBeGreaterThan(1)
})

test.each([
  ['Latin', 'Où est la gare?'],
  ['Cyrillic', 'Где вокзал? ok'],
  ['Han', '车站在哪里?'],
  ['Japanese', '駅はどこですか'],
  ['Hangul', '역은 어디입니까'],
  ['Arabic', 'أين المحطة'],
  ['Devanagari', 'स्टेशन कहाँ है'],
  ['Greek', 'Πού είναι ο σταθμός'],
  ['Thai', 'สถานีอยู่ที่ไหน'],
  ['other', 'ᏣᎳᎩ'],
  ['none', '12 + 3 = ?'],
])('the script %s is seen', (script, text) => {
  expect(mainScript([text])).toBe(script)
})
