/** Makes a starter world from a seed: demonstrations, noisy preferences, and unseen prompts to test on. */
import type { Example, Preference } from '../data/example.js'
import type { Message } from '../dialogue.js'
import { usageError } from '../errors.js'
import { createRandom, type Random } from '../random.js'
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
}

const DEFAULTS = {
  trainPairs: 6000,
  devPrompts: 300,
  testPrompts: 300,
  demonstrations: 8000,
  noise: 0.25,
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
  const make = (split: Split, count: number, one: (maker: Maker, split: Split, row: number) => Example) => {
    const random = createRandom(`world:${full.seed}:${split}`)
    return Array.from({ length: count }, (_, i) =>
      one({ random, prompts, options: full, truths }, split, i + 1),
    )
  }
  return {
    options: full,
    test: make('test', full.testPrompts, trueExample),
    dev: make('dev', full.devPrompts, trueExample),
    train: make('train', full.trainPairs, noisyExample),
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

function checkOptions({ noise, candidatesPerPrompt }: Required<WorldOptions>): void {
  if (!(noise >= 0 && noise <= 1)) throw usageError(`noise is ${noise}`, 'Give a share between 0 and 1.')
  if (!Number.isInteger(candidatesPerPrompt) || candidatesPerPrompt < 2) {
    throw usageError(`candidates per prompt is ${candidatesPerPrompt}`, 'Give a whole number from 2.')
  }
}

function demonstration(maker: Maker, split: Split, row: number): Example {
  const { fact, messages } = maker.prompts.draw(maker.random, split)
  const favourite = sample.favouriteHabit(maker.options.seed, topicOf(fact))
  const answer = sample.drawAnswer(maker.random, fact, sample.DEMONSTRATION_POLICY, favourite)
  const drawn = { fact, messages, answers: [answer], preferences: [], flipped: [] }
  return record(maker, { split, row }, drawn)
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

function noisyExample(maker: Maker, split: Split, row: number): Example {
  const { fact, messages } = maker.prompts.draw(maker.random, split)
  let answers = drawCandidates(maker, fact, maker.options.candidatesPerPrompt)
  const pairs = truePreferences(answers.map((answer) => judge(fact, answer).reward))
  const flipped = pairs.map(() => maker.random.next() < maker.options.noise)
  let labelled = pairs.map((p, i) => (flipped[i] ? { better: p.worse, worse: p.better } : p))
  if (answers.length === 2) {
    // A file of pairs holds the chosen answer first; the order must not tell more than the label does.
    answers = [answers[labelled[0].better], answers[labelled[0].worse]]
    labelled = [{ better: 0, worse: 1 }]
  }
  return record(maker, { split, row }, { fact, messages, answers, preferences: labelled, flipped })
}

function trueExample(maker: Maker, split: Split, row: number): Example {
  const { fact, messages } = maker.prompts.draw(maker.random, split)
  const answers = drawCandidates(maker, fact, 2)
  for (const answer of sample.oneOfEach(maker.random, fact)) {
    if (answers.every((other) => !sample.sameText(fact, answer, other))) answers.push(answer)
  }
  const pairs = truePreferences(answers.map((answer) => judge(fact, answer).reward))
  const flipped = pairs.map(() => false)
  return record(maker, { split, row }, { fact, messages, answers, preferences: pairs, flipped })
}

interface Drawn {
  fact: Fact
  messages: Message[]
  answers: readonly Answer[]
  preferences: Preference[]
  /** Of each preference: whether it is the wrong way round. */
  flipped: boolean[]
}

function record(
  maker: Maker,
  { split, row }: { split: Split; row: number },
  { fact, messages, answers, preferences, flipped }: Drawn,
): Example {
  const id = `${split}-${String(row).padStart(5, '0')}`
  const isPair = split === 'train' && answers.length === 2
  const candidates = answers.map((answer, i) => ({
    text: answerText(fact, answer),
    ...(isPair ? { origin: i === 0 ? 'chosen' : 'rejected' } : {}),
  }))
  const rewards = answers.map((answer) => judge(fact, answer).reward)
  maker.truths.set(id, { flipped, rewards, labels: answers.map(labelOf) })
  return {
    id,
    prompt: messages,
    candidates,
    preferences,
    source: 'starter-world',
    file: `${split}.jsonl`,
    row,
  }
}
