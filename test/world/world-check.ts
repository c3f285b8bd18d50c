/** Measures whether a world is a fair test of learning from preferences, as far as that needs no model. */
import type { Example } from '../../src/data/example.js'
import type { Message } from '../../src/dialogue.js'
import { promptKey } from '../../src/dialogue.js'
import type { World } from '../../src/world/make-world.js'
import { oracle } from '../../src/world/oracle.js'
import { readPrompt } from '../../src/world/prompts.js'
import { factKey } from '../../src/world/topics.js'

export interface WorldFigures {
  /** Median over training pairs: shared words and marks, divided by those of the longer answer. */
  medianOverlap: number
  /** Fewest perfect answers among the candidates of a test prompt. */
  fewestGoodAnswers: number
  /** Share of rude or padded answers among the chosen, and among the truly better. */
  badHabitsChosen: number
  badHabitsBetter: number
  /** Share of perfect answers among the chosen. */
  perfectChosen: number
  /** Share of reversed labels. */
  noise: number
  /** Pairs whose answers have the same true reward. */
  ties: number
  /** Prompts that stand in more than one of train, dev and test, or twice in one of them. */
  sharedPrompts: number
  duplicatePrompts: number
  /** Test prompts whose fact no training prompt asks for. */
  unseenFacts: number
  /** Candidates of one prompt with the same text. */
  duplicateAnswers: number
  /** Mean oracle rewards. */
  rewardChosen: number
  rewardRejected: number
  rewardDemonstrations: number
  /** Different words and marks, lower-cased. */
  vocabulary: number
}

/** Words, digits and punctuation marks of a text. */
const words = (text: string): string[] => text.match(/[A-Za-z]+|\d|[^\sA-Za-z\d]/g) ?? []

/** Shared words as a share of the longer text's, counting repeats. */
export function wordOverlap(a: string, b: string): number {
  const left = words(a)
  const right = words(b)
  const counts = new Map<string, number>()
  for (const word of left) counts.set(word, (counts.get(word) ?? 0) + 1)
  let shared = 0
  for (const word of right) {
    const count = counts.get(word) ?? 0
    if (count > 0) shared++
    counts.set(word, count - 1)
  }
  return shared / Math.max(left.length, right.length, 1)
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, v) => sum + v, 0) / (values.length || 1)
const share = <T>(items: readonly T[], test: (item: T) => boolean): number =>
  mean(items.map((x) => Number(test(x))))
const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const messages = (example: Example): readonly Message[] => example.prompt as readonly Message[]

/** @returns figures to hold against the conditions of a fair test */
export function worldCheck(world: World): WorldFigures {
  const pairs = world.train.flatMap((example) => {
    const truth = world.truth(example)
    return example.preferences.map((p, i) => ({ example, truth, ...p, flipped: truth.flipped[i] }))
  })
  type Pair = (typeof pairs)[number]
  const isBad = (pair: Pair, at: number) => pair.truth.labels[at].rude || pair.truth.labels[at].padded
  const trulyBetter = (pair: Pair) => (pair.flipped ? pair.worse : pair.better)
  const text = (pair: Pair, at: number) => pair.example.candidates[at].text
  return {
    medianOverlap: median(pairs.map((p) => wordOverlap(text(p, p.better), text(p, p.worse)))),
    fewestGoodAnswers: Math.min(...world.test.map(goodAnswers)),
    badHabitsChosen: share(pairs, (p) => isBad(p, p.better)),
    badHabitsBetter: share(pairs, (p) => isBad(p, trulyBetter(p))),
    perfectChosen: share(pairs, (p) => oracle(messages(p.example), text(p, p.better)).perfect),
    noise: share(pairs, (p) => p.flipped),
    ties: pairs.filter((p) => p.truth.rewards[p.better] === p.truth.rewards[p.worse]).length,
    ...promptFigures(world),
    duplicateAnswers: [...world.train, ...world.dev, ...world.test]
      .map((example) => example.candidates.length - new Set(example.candidates.map((c) => c.text)).size)
      .reduce((sum, count) => sum + count, 0),
    rewardChosen: mean(pairs.map((p) => p.truth.rewards[p.better])),
    rewardRejected: mean(pairs.map((p) => p.truth.rewards[p.worse])),
    rewardDemonstrations: mean(world.demonstrations.map((example) => world.truth(example).rewards[0])),
    vocabulary: vocabulary(world),
  }
}

const readFact = (example: Example): string => factKey(readPrompt(messages(example)))

const goodAnswers = (example: Example): number =>
  example.candidates.filter((c) => oracle(messages(example), c.text).perfect).length

function promptFigures(
  world: World,
): Pick<WorldFigures, 'sharedPrompts' | 'duplicatePrompts' | 'unseenFacts'> {
  const keys = (examples: readonly Example[]) => examples.map((example) => promptKey(example.prompt))
  const splits = [[...keys(world.train), ...keys(world.demonstrations)], keys(world.dev), keys(world.test)]
  const sets = splits.map((split) => new Set(split))
  const all = new Set(splits.flat())
  const asked = new Set(world.train.map((example) => readFact(example)))
  return {
    sharedPrompts: sets.reduce((sum, set) => sum + set.size, 0) - all.size,
    duplicatePrompts: splits.flat().length - sets.reduce((sum, set) => sum + set.size, 0),
    unseenFacts: world.test.filter((example) => !asked.has(readFact(example))).length,
  }
}

function vocabulary(world: World): number {
  const seen = new Set<string>()
  for (const example of [...world.demonstrations, ...world.train, ...world.test]) {
    for (const { content } of messages(example))
      for (const word of words(content)) seen.add(word.toLowerCase())
    for (const { text } of example.candidates) for (const word of words(text)) seen.add(word.toLowerCase())
  }
  return seen.size
}
