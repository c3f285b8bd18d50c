/** Makes a starter world from a seed: demonstrations, noisy preferences, and unseen prompts to test on. */
import type { Example, Preference } from '../data/example.js'
import type { Message } from '../dialogue.js'
import { usageError } from '../errors.js'
import { createRandom, type Random } from '../random.js'
import { type Annotator, reversalProbabilities } from './annotators.js'
import { type Answer, type AnswerLabel, answerText, labelOf } from './answers.js'
import { judge } from './oracle.js'
import { createPromptSource, type PromptSource, probePrompt, type Split } from './prompt-source.js'
import * as sample from './sample.js'
import { type Fact, TOPICS, topicOf } from './topics.js'

export interface WorldOptions {
  seed: number
  /** Prompts with human preferences. Default 6000. */
  trainPairs?: number
  /** Default 300. */
  devPrompts?: number
  /** Default 300. */
  testPrompts?: number
  /** Default 8000. */
  demonstrations?: number
  /** Share of preferences that the annotator got wrong. Default 0.25. */
  noise?: number
  /** Which labels those are. Default `even`. */
  annotator?: Annotator
  /** Pairs that another annotator of the same kind looked at again, chosen at random. Default 0. */
  secondLabels?: number
  /** Answers per training prompt, 2 or more; all their pairs are labelled. Default 2. */
  candidatesPerPrompt?: number
}

/** What a reader of the data must not see. */
export interface Truth {
  /** For each preference of the example, whether the annotator's label was reversed. */
  flipped: boolean[]
  /** Oracle reward of each candidate. */
  rewards: number[]
  /** What each candidate was made as. */
  labels: AnswerLabel[]
}

export interface ProbeFact {
  kind: string
  slots: readonly string[]
  value: string
  /** Asks for the fact in words that no training prompt uses for it. */
  prompt: Message[]
}

export interface World {
  options: Required<WorldOptions>
  /** One ill-mannered, mostly right, mostly compliant answer per prompt: what a start model learns from. */
  demonstrations: Example[]
  /** Preferences as an annotator gave them. With two candidates, the first is the one labelled as chosen. */
  train: Example[]
  /** Unseen prompts with true preferences, for tuning. */
  dev: Example[]
  /**
   * Unseen prompts with answers of every kind and all true preferences; the first preference is of
   * two answers drawn as in training.
   */
  test: Example[]
  /** Every fact (requests that must be declined are none), to probe what a model knows. */
  facts: ProbeFact[]
  /** @throws ClhaError for an example of another world */
  truth(example: Example): Truth
  /** `train` as another annotator of the same kind labelled it, who errs elsewhere. Deterministic in the name. */
  labelledBy(name: string): Example[]
}

const DEFAULTS = {
  trainPairs: 6000,
  devPrompts: 300,
  testPrompts: 300,
  demonstrations: 8000,
  noise: 0.25,
  annotator: 'even' as const,
  secondLabels: 0,
  candidatesPerPrompt: 2,
}

interface Maker {
  random: Random
  prompts: PromptSource
  options: Required<WorldOptions>
  truths: Map<string, Truth>
}

/**
 * Deterministic in its options. Facts are shared by all splits, prompts by none.
 * @throws ClhaError when an option is out of range or there are fewer prompts than asked for
 * @example
 * ```ts
 * const world = createWorld({ seed: 1, trainPairs: 10, devPrompts: 1, testPrompts: 1, demonstrations: 1 })
 * world.train.length // 10
 * ```
 */
export function createWorld(options: WorldOptions): World {
  const full: Required<WorldOptions> = { ...DEFAULTS, ...options }
  checkOptions(full)
  const prompts = createPromptSource(full.seed)
  const truths = new Map<string, Truth>()
  const make = <T>(split: Split, count: number, one: (maker: Maker, split: Split, row: number) => T): T[] => {
    const random = createRandom(`world:${full.seed}:${split}`)
    return Array.from({ length: count }, (_, i) =>
      one({ random, prompts, options: full, truths }, split, i + 1),
    )
  }
  const test = make('test', full.testPrompts, trueExample)
  const dev = make('dev', full.devPrompts, trueExample)
  const collected = make('train', full.trainPairs, unlabelled)
  const probabilities = reversals(collected, full)
  const labelled = (flips: readonly number[][]) =>
    collected.map((draft, i) =>
      annotated(
        draft,
        flips[i].map((draw, k) => draw < probabilities[i][k]),
      ),
    )
  const train = labelled(collected.map(({ draws }) => draws)).map(({ example, truth }) => {
    truths.set(example.id, truth)
    return example
  })
  const labelledBy = (name: string): Example[] => {
    const random = createRandom(`world:${full.seed}:annotator:${name}`)
    return labelled(collected.map(({ draws }) => draws.map(() => random.next()))).map(
      ({ example }) => example,
    )
  }
  return {
    options: full,
    test,
    dev,
    train: withSecondLabels(train, () => labelledBy('second'), full),
    labelledBy,
    demonstrations: make('demonstrations', full.demonstrations, demonstration),
    facts: TOPICS.filter((topic) => !topic.harmful).flatMap((topic) =>
      topic.facts.map(({ kind, slots, value }, i) => ({
        kind,
        slots,
        value,
        prompt: probePrompt(full.seed, topic.facts[i]),
      })),
    ),
    truth: (example) => {
      const truth = truths.get(example.id)
      if (truth) return truth
      throw usageError(`example ${example.id} is not of the world with seed ${full.seed}`)
    },
  }
}

/** Both labels of a pair that was looked at twice; the first one stays its preference. */
function withSecondLabels(
  train: readonly Example[],
  second: () => readonly Example[],
  { seed, secondLabels }: Required<WorldOptions>,
): Example[] {
  if (secondLabels === 0) return [...train]
  const order = createRandom(`world:${seed}:second labels`).shuffle(train.map((_, i) => i))
  const again = new Set(order.slice(0, secondLabels))
  const other = second()
  return train.map((example, i) => {
    if (!again.has(i)) return example
    // A pair's chosen answer stands first.
    const agrees = other[i].candidates[0].text === example.candidates[0].text
    const [first] = example.preferences
    const looked = agrees ? first : { better: first.worse, worse: first.better }
    return { ...example, votes: [first, looked].map((vote) => ({ ...vote, count: 1 })) }
  })
}

function checkOptions({
  noise,
  candidatesPerPrompt,
  secondLabels,
  trainPairs,
}: Required<WorldOptions>): void {
  if (!(secondLabels >= 0 && secondLabels <= trainPairs)) {
    throw usageError(
      `second labels: ${secondLabels} of ${trainPairs} pairs`,
      'Give a number of the pairs there are.',
    )
  }
  if (secondLabels > 0 && candidatesPerPrompt !== 2) {
    throw usageError('second labels are of pairs', 'Ask for two candidates per prompt.')
  }
  if (!(noise >= 0 && noise <= 1)) throw usageError(`noise is ${noise}`, 'Give a share between 0 and 1.')
  if (!Number.isInteger(candidatesPerPrompt) || candidatesPerPrompt < 2) {
    throw usageError(`candidates per prompt is ${candidatesPerPrompt}`, 'Give a whole number from 2.')
  }
}

function demonstration(maker: Maker, split: Split, row: number): Example {
  const { fact, messages } = maker.prompts.draw(maker.random, split)
  const favourite = sample.favouriteHabit(maker.options.seed, topicOf(fact))
  const answer = sample.drawAnswer(maker.random, fact, sample.DEMONSTRATION_POLICY, favourite)
  return known(maker, split, row, { fact, messages, answers: [answer], preferences: [] })
}

/** Answers drawn as in collecting preferences; consecutive ones differ in reward. */
function drawCandidates(maker: Maker, fact: Fact, count: number): Answer[] {
  const favourite = sample.favouriteHabit(maker.options.seed, topicOf(fact))
  const answers = [sample.drawAnswer(maker.random, fact, sample.PAIR_POLICY, favourite)]
  for (let tries = 0; answers.length < count; tries++) {
    const rival = sample.drawRival(maker.random, fact, answers.at(-1)!, sample.PAIR_POLICY, favourite)
    if (tries > 100 * count)
      throw usageError(`can't find ${count} different answers to one prompt`, 'Ask for fewer.')
    if (answers.every((answer) => !sample.sameText(fact, answer, rival))) answers.push(rival)
  }
  return answers
}

/** All pairs of clearly different reward, the better first. */
function truePreferences(rewards: readonly number[]): Preference[] {
  const pairs: Preference[] = []
  for (let i = 0; i < rewards.length; i++) {
    for (let j = i + 1; j < rewards.length; j++) {
      if (rewards[i] > rewards[j]) pairs.push({ better: i, worse: j })
      if (rewards[i] < rewards[j]) pairs.push({ better: j, worse: i })
    }
  }
  return pairs
}

/** A prompt with answers that nobody labelled yet. */
interface Unlabelled {
  id: string
  row: number
  fact: Fact
  messages: Message[]
  answers: readonly Answer[]
  rewards: number[]
  /** All pairs, the better answer first. */
  pairs: Preference[]
  /** One number in [0, 1) a pair: its label is reversed where the annotator errs more often. */
  draws: number[]
}

function unlabelled(maker: Maker, split: Split, row: number): Unlabelled {
  const { fact, messages } = maker.prompts.draw(maker.random, split)
  const answers = drawCandidates(maker, fact, maker.options.candidatesPerPrompt)
  const rewards = answers.map((answer) => judge(fact, answer).reward)
  const pairs = truePreferences(rewards)
  const draws = pairs.map(() => maker.random.next())
  return { id: idOf(split, row), row, fact, messages, answers, rewards, pairs, draws }
}

/** How likely each label of each prompt is to be reversed. */
function reversals(
  collected: readonly Unlabelled[],
  { annotator, noise }: Required<WorldOptions>,
): number[][] {
  const all = collected.flatMap(({ fact, answers, rewards, pairs }) => {
    const length = answers.map((answer) => answerText(fact, answer).length)
    return pairs.map(({ better, worse }) => ({
      gap: rewards[better] - rewards[worse],
      longer: length[worse] - length[better],
    }))
  })
  const probabilities = reversalProbabilities(all, annotator, noise)
  let from = 0
  return collected.map(({ pairs }) => {
    from += pairs.length
    return probabilities.slice(from - pairs.length, from)
  })
}

function annotated(draft: Unlabelled, flipped: boolean[]): { example: Example; truth: Truth } {
  const labels = draft.pairs.map((p, i) => (flipped[i] ? { better: p.worse, worse: p.better } : p))
  if (draft.answers.length !== 2) return record('train', draft, { preferences: labels, flipped })
  // A file of pairs holds the chosen answer first; the order must not tell more than the label does.
  const answers = [draft.answers[labels[0].better], draft.answers[labels[0].worse]]
  return record('train', { ...draft, answers }, { preferences: [{ better: 0, worse: 1 }], flipped })
}

function trueExample(maker: Maker, split: Split, row: number): Example {
  const { fact, messages } = maker.prompts.draw(maker.random, split)
  const answers = drawCandidates(maker, fact, 2)
  for (const answer of sample.oneOfEach(maker.random, fact)) {
    if (answers.every((other) => !sample.sameText(fact, answer, other))) answers.push(answer)
  }
  const preferences = truePreferences(answers.map((answer) => judge(fact, answer).reward))
  return known(maker, split, row, { fact, messages, answers, preferences })
}

interface Drawn {
  fact: Fact
  messages: Message[]
  answers: readonly Answer[]
}

const idOf = (split: Split, row: number): string => `${split}-${String(row).padStart(5, '0')}`

/** An example whose labels are the truth. */
function known(
  maker: Maker,
  split: Split,
  row: number,
  { preferences, ...drawn }: Drawn & { preferences: Preference[] },
): Example {
  const flipped = preferences.map(() => false)
  const { example, truth } = record(split, { ...drawn, id: idOf(split, row), row }, { preferences, flipped })
  maker.truths.set(example.id, truth)
  return example
}

function record(
  split: Split,
  { id, row, fact, messages, answers }: Drawn & { id: string; row: number },
  { preferences, flipped }: { preferences: Preference[]; flipped: boolean[] },
): { example: Example; truth: Truth } {
  const isPair = split === 'train' && answers.length === 2
  const candidates = answers.map((answer, i) => ({
    text: answerText(fact, answer),
    ...(isPair ? { origin: i === 0 ? 'chosen' : 'rejected' } : {}),
  }))
  const rewards = answers.map((answer) => judge(fact, answer).reward)
  return {
    example: {
      id,
      prompt: messages,
      candidates,
      preferences,
      source: 'starter-world',
      file: `${split}.jsonl`,
      row,
    },
    truth: { flipped, rewards, labels: answers.map(labelOf) },
  }
}
