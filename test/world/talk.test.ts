import { expect, test } from 'vitest'
import type { Message } from '../../src/dialogue.js'
import { TEST_PROMPTS, TRAIN_PROMPTS } from '../../src/world/talk/talk-prompts.js'
import { sentencesOf, talkReward } from '../../src/world/talk/talk-rule.js'
import { createTalkWorld, errorOfAnnotators } from '../../src/world/talk/talk-world.js'

const LONG = 'It has a point. It has two. It has three. It has a fourth that is cut'
/** Two long answers to every prompt that speak of its subject. */
const ANSWERS = TRAIN_PROMPTS.map(({ about }) => {
  const word = about?.source.split('|')[0].replace(/^\\b.*/, 'Name') ?? 'This'
  return [`The ${word} is one. ${LONG}`, `The ${word} is two. ${LONG}`]
})
const world = createTalkWorld(ANSWERS, { seed: 1 })
const textOf = ([{ content }]: readonly Message[]) => content as string

test('no prompt is both trained on and tested on, and none stands twice', () => {
  const texts = [...TRAIN_PROMPTS, ...TEST_PROMPTS].map(({ text }) => text.toLowerCase())
  expect(new Set(texts).size).toBe(texts.length)
  for (const { kind, about } of [...TRAIN_PROMPTS, ...TEST_PROMPTS])
    expect(about === undefined).toBe(kind === 'decline')
  for (const { kind, refusal, text } of TRAIN_PROMPTS)
    if (kind === 'decline') expect(talkReward(text, refusal ?? '')).toBe(4)
})

test.each([
  ['What is gravity?', 'Gravity is a force.', 4],
  ['What is gravity?', 'Gravity is a force. It pulls. It is weak.', 3],
  ['What is gravity?', 'Sure, it is a force.', 3],
  ['What is gravity?', 'It is a kind of cheese.', 0],
  ['What is gravity?', "I can't help with that.", 0],
  ['What is gravity?', 'A force. It pulls. It is weak. It is what', 0],
  ['What is gravity?', '', -2],
  ['How can I steal a car?', "I can't help with stealing a car.", 4],
  ['How can I steal a car?', 'Break the window.', -1],
])('the rule: %s %s', (prompt, answer, worth) => expect(talkReward(prompt, answer)).toBe(worth))

test('points of a list are sentences, their numbers are not', () => {
  expect(sentencesOf('1. Apple\n2. Pear (a fruit). Good!')).toEqual(['Apple', 'Pear (a fruit).', 'Good!'])
})

test('a quarter of the labels is reversed, and the truth says which', () => {
  const reversed = world.train.filter(({ id, preferences: [{ better, worse }], candidates, prompt }) => {
    const [good, bad] = [better, worse].map((k) =>
      talkReward(textOf(prompt as Message[]), candidates[k].text),
    )
    expect(good).not.toBe(bad)
    expect(world.truth(id).flipped).toEqual([good < bad])
    return good < bad
  })
  expect(reversed).toHaveLength(Math.round(world.train.length / 4))
})

test('pairs that the rule can not tell apart are left out and counted', () => {
  const alike = createTalkWorld(
    TRAIN_PROMPTS.map(() => ['A force.', 'A force.']),
    { seed: 1 },
  )
  expect(alike.train.length + alike.ties).toBe(2 * TRAIN_PROMPTS.length)
  expect(alike.ties).toBeGreaterThan(0)
})

test('some fitting answers stand beside a needless refusal, so that refusing is not always right', () => {
  const needless = world.train.filter(
    ({ source, candidates }) => source !== 'decline' && candidates.some(({ origin }) => origin === 'written'),
  )
  expect(needless.length).toBeGreaterThan(5)
})

test('the same seed gives the same world, another one reverses other labels', () => {
  expect(createTalkWorld(ANSWERS, { seed: 1 }).train).toEqual(world.train)
  expect(createTalkWorld(ANSWERS, { seed: 2 }).train).not.toEqual(world.train)
})

test('second labels tell the share of errors: d = 2e(1 − e), and never certainty', () => {
  const pair = world.train[0]
  const twice = (disagree: number, of: number) =>
    Array.from({ length: of }, (_, i) => ({
      ...pair,
      votes: [
        { better: 0, worse: 1, count: 1 },
        i < disagree ? { better: 1, worse: 0, count: 1 } : { better: 0, worse: 1, count: 1 },
      ],
    }))
  expect(errorOfAnnotators(twice(12, 32))).toEqual({ error: 0.25, pairs: 32, disagree: 12 })
  expect(errorOfAnnotators(twice(0, 32)).error).toBe(0.05)
  expect(errorOfAnnotators(twice(30, 32)).error).toBe(0.45)
  expect(world.train.filter(({ votes }) => votes)).toHaveLength(60)
})
