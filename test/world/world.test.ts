import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/dialogue.js'
import { ClhaError } from '../../src/errors.js'
import { createWorld, type ProbeFact, probe, probeFacts, writeWorld } from '../../src/world/index.js'
import { wordOverlap, worldCheck } from './world-check.js'

describe.each([1, 2, 3])('the world of seed %i is a fair test', (seed) => {
  const world = createWorld({ seed })
  const figures = worldCheck(world)

  test('sizes are those asked for', () => {
    expect([world.demonstrations, world.train, world.dev, world.test].map((split) => split.length)).toEqual([
      8000, 6000, 300, 300,
    ])
  })

  test('the median pair shares 60 % of its words or more', () => {
    expect(figures.medianOverlap).toBeGreaterThanOrEqual(0.6)
  })

  test('each test prompt has two good answers or more', () => {
    expect(figures.fewestGoodAnswers).toBeGreaterThanOrEqual(2)
  })

  test('30 % of the chosen answers or more have a bad habit, even without label noise', () => {
    expect(figures.badHabitsChosen).toBeGreaterThanOrEqual(0.3)
    expect(figures.badHabitsBetter).toBeGreaterThanOrEqual(0.3)
  })

  test('a quarter of the labels is reversed, within four standard errors', () => {
    expect(Math.abs(figures.noise - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / 6000))
  })

  test('no ties, no shared or repeated prompts, no repeated answers, and no unseen facts', () => {
    const { ties, sharedPrompts, duplicatePrompts, duplicateAnswers, unseenFacts } = figures
    expect({ ties, sharedPrompts, duplicatePrompts, duplicateAnswers, unseenFacts }).toEqual({
      ties: 0,
      sharedPrompts: 0,
      duplicatePrompts: 0,
      duplicateAnswers: 0,
      unseenFacts: 0,
    })
  })

  test('it is small: 300 to 600 different words', () => {
    expect(figures.vocabulary).toBeGreaterThan(300)
    expect(figures.vocabulary).toBeLessThan(600)
  })

  test('chosen answers are better than rejected ones, and the demonstrations leave room', () => {
    expect(figures.rewardChosen).toBeGreaterThan(figures.rewardRejected + 0.5)
    expect(figures.rewardDemonstrations).toBeLessThan(0.5)
  })

  test('reversed labels do not depend on which answer is rude, wrong or long', () => {
    const rows = world.train.map((example) => ({ example, ...world.truth(example) }))
    const share = (of: typeof rows) => of.filter((row) => row.flipped[0]).length / of.length
    const close = (of: typeof rows) => Math.abs(share(of) - figures.noise) < 4 * Math.sqrt(0.19 / of.length)
    // The truly better answer stands second where the label is reversed.
    const better = (row: (typeof rows)[number]) => (row.flipped[0] ? 1 : 0)
    expect(close(rows.filter((row) => row.labels[better(row)].rude))).toBe(true)
    expect(close(rows.filter((row) => row.labels[1 - better(row)].core === 'wrong'))).toBe(true)
    expect(close(rows.filter((row) => Math.abs(row.rewards[0] - row.rewards[1]) > 2))).toBe(true)
  })
})

const SMALL = { trainPairs: 300, devPrompts: 20, testPrompts: 40, demonstrations: 200 }

test('a world is a pure function of its options', () => {
  const parts = (seed: number) => {
    const { demonstrations, train, dev, test: unseen, facts } = createWorld({ seed, ...SMALL })
    return { demonstrations, train, dev, unseen, facts }
  }
  expect(parts(5)).toEqual(parts(5))
  expect(parts(5).train).not.toEqual(parts(6).train)
})

test('noise changes labels only, and none without noise', () => {
  const clean = createWorld({ seed: 4, ...SMALL, noise: 0 })
  const noisy = createWorld({ seed: 4, ...SMALL, noise: 1 })
  for (const example of clean.train) {
    const { flipped, rewards } = clean.truth(example)
    expect(flipped).toEqual([false])
    expect(rewards[0]).toBeGreaterThan(rewards[1])
  }
  expect(noisy.train.map((e) => e.candidates.map((c) => c.text).reverse())).toEqual(
    clean.train.map((e) => e.candidates.map((c) => c.text)),
  )
})

test('true preferences of test prompts hold by reward, all of them', () => {
  const world = createWorld({ seed: 4, ...SMALL })
  for (const example of world.test) {
    const { rewards, flipped } = world.truth(example)
    expect(flipped.some(Boolean)).toBe(false)
    expect(example.preferences.every(({ better, worse }) => rewards[better] > rewards[worse])).toBe(true)
    const pairs = rewards.flatMap((a, i) => rewards.slice(i + 1).filter((b) => b !== a))
    expect(example.preferences).toHaveLength(pairs.length)
  }
})

test('more candidates give more pairs, each flipped on its own', () => {
  const world = createWorld({ seed: 4, ...SMALL, candidatesPerPrompt: 4, noise: 0.5 })
  expect(world.train.every((example) => example.candidates.length === 4)).toBe(true)
  expect(world.train.some((example) => new Set(world.truth(example).flipped).size === 2)).toBe(true)
})

test('options out of range and worlds too large are refused', () => {
  expect(() => createWorld({ seed: 1, noise: 1.5 })).toThrow(ClhaError)
  expect(() => createWorld({ seed: 1, candidatesPerPrompt: 1 })).toThrow(ClhaError)
  const world = createWorld({ seed: 1, ...SMALL })
  expect(() => world.truth({ ...world.train[0], id: 'other' })).toThrow(ClhaError)
})

test('word overlap counts repeats and is a share of the longer text', () => {
  expect(wordOverlap('a b c.', 'a b d.')).toBe(0.75)
  expect(wordOverlap('a a', 'a')).toBe(0.5)
  expect(wordOverlap('a', 'b')).toBe(0)
})

test('files hold the rows of the world in the formats of TRL', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'world-'))
  try {
    const world = createWorld({ seed: 9, ...SMALL })
    await writeWorld(world, dir)
    const rows = async (name: string) =>
      (await readFile(join(dir, name), 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    const [example] = world.train
    expect((await rows('train.jsonl'))[0]).toEqual({
      id: example.id,
      prompt: example.prompt,
      chosen: [{ role: 'assistant', content: example.candidates[0].text }],
      rejected: [{ role: 'assistant', content: example.candidates[1].text }],
    })
    const [shown] = world.demonstrations
    expect((await rows('demonstrations.jsonl'))[0].messages).toEqual([
      ...(shown.prompt as Message[]),
      { role: 'assistant', content: shown.candidates[0].text },
    ])
    expect(await rows('test.jsonl')).toHaveLength(40)
    expect(await rows('dev.jsonl')).toHaveLength(20)
    const truth = JSON.parse(await readFile(join(dir, 'truth.json'), 'utf8'))
    expect(truth.examples[example.id]).toEqual(world.truth(example))
  } finally {
    await rm(dir, { recursive: true })
  }
})

test('rows of one prompt with several pairs have ids of their own', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'world-'))
  try {
    const world = createWorld({ seed: 9, ...SMALL, candidatesPerPrompt: 3 })
    await writeWorld(world, dir)
    const lines = (await readFile(join(dir, 'train.jsonl'), 'utf8')).trimEnd().split('\n')
    expect(lines).toHaveLength(world.train.reduce((sum, example) => sum + example.preferences.length, 0))
    expect(new Set(lines.map((line) => JSON.parse(line).id)).size).toBe(lines.length)
  } finally {
    await rm(dir, { recursive: true })
  }
})

describe('the probe', () => {
  const world = createWorld({ seed: 2, ...SMALL })
  const capitals = world.facts.filter((fact) => fact.kind === 'capital')
  const state = (end: string) => (facts: ProbeFact[]) =>
    facts.map(({ slots, value }) => `The capital of ${slots[0]} is ${value}${end}`)

  test('tells knowledge from behaviour', async () => {
    const polite = await probeFacts(capitals, () => state('.')(capitals))
    expect(polite).toMatchObject({ factsKnown: 1, perfect: 1, reward: 2, prompts: capitals.length })
    const rude = await probeFacts(capitals, () => state(', you fool.')(capitals))
    expect(rude).toMatchObject({ factsKnown: 1, perfect: 0, reward: 0 })
  })

  test('splits by kind, and counts what it cannot read', async () => {
    const prompts = world.test.map((example) => example.prompt as Message[])
    const report = await probe(prompts, (list) => list.map(() => 'I do not know.'))
    expect(report).toMatchObject({ unparsable: 1, perfect: 0, factsKnown: 0, reward: -2.5, prompts: 40 })
    const total = Object.values(report.byKind).reduce((sum, kind) => sum + kind.prompts, 0)
    expect(total).toBe(40)
    expect(report.byKind.harmful.factsKnown).toBeNaN()
  })

  test('refuses a wrong number of answers', async () => {
    await expect(probeFacts(capitals, () => ['x'])).rejects.toThrow(ClhaError)
  })

  test('asks for each fact in words that no training prompt uses for it', () => {
    const asked = new Set(world.train.concat(world.demonstrations).map((e) => JSON.stringify(e.prompt)))
    expect(world.facts.some((fact) => asked.has(JSON.stringify(fact.prompt)))).toBe(false)
    expect(world.facts.length).toBeGreaterThan(150)
  })
})
