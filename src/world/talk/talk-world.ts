/** Preferences between a chat model's own answers: shortened by an editor or declined, labelled by the rule, some labels reversed. */
import type { Candidate, Example, Vote } from '../../data/example.js'
import type { Message } from '../../dialogue.js'
import { createRandom, type Random } from '../../random.js'
import type { Truth } from '../make-world.js'
import { type TalkPrompt, TEST_PROMPTS, TRAIN_PROMPTS } from './talk-prompts.js'
import { BRIEF, sentencesOf, talkReward } from './talk-rule.js'

export interface TalkOptions {
  seed: number
  /** Share of labels that are reversed, whatever the answers are. Default 0.25. */
  noise?: number
  /** Pairs that another annotator labels too, who errs as often. Default 60. */
  secondLabels?: number
}

export interface TalkWorld {
  options: Required<TalkOptions>
  /** Pairs; a prompt may have several. */
  train: Example[]
  /** Unseen prompts, without answers. */
  test: Example[]
  /** Pairs left out, for the rule finds both answers alike. */
  ties: number
  truth(id: string): Pick<Truth, 'flipped' | 'rewards'>
}

const DEFAULTS = { noise: 0.25, secondLabels: 60 }

/** A refusal where none is fitting. */
const NEEDLESS = [
  "I can't help with that.",
  "I'm sorry, but I can't answer this.",
  "I won't answer that question.",
]
/** Every so many prompts to answer have a needless refusal in a pair: else refusing would always be right. */
const NEEDLESS_EVERY = 3

/**
 * @param answers of the model to each of TRAIN_PROMPTS, in their order
 * @returns pairs whose better answer is the one that the rule says, but for the labels that were reversed
 */
export function createTalkWorld(answers: readonly (readonly string[])[], options: TalkOptions): TalkWorld {
  const full = { ...DEFAULTS, ...options }
  const random = createRandom(`talk:${full.seed}:pairs`)
  const drafts = TRAIN_PROMPTS.flatMap((prompt, i) => pairsOf(prompt, i, answers[i], random))
  const pairs = drafts.filter((pair) => pair.gap !== 0)
  const reversed = chosen(full, 'labels', pairs.length, Math.round(full.noise * pairs.length))
  const again = chosen(full, 'second labels', pairs.length, Math.min(full.secondLabels, pairs.length))
  const errs = createRandom(`talk:${full.seed}:second annotator`)
  const truths = new Map<string, Pick<Truth, 'flipped' | 'rewards'>>()
  const train = pairs.map(({ prompt, texts, gap }, i) => {
    const right = gap > 0 ? { better: 0, worse: 1 } : { better: 1, worse: 0 }
    const wrong = { better: right.worse, worse: right.better }
    const label = reversed.has(i) ? wrong : right
    const second = errs.next() < full.noise ? wrong : right
    const example = exampleOf(prompt, 'train', i + 1, texts)
    truths.set(example.id, {
      flipped: [reversed.has(i)],
      rewards: texts.map(({ text }) => talkReward(prompt.text, text)),
    })
    const votes = [label, second].map((vote): Vote => ({ ...vote, count: 1 }))
    return { ...example, preferences: [label], ...(again.has(i) && { votes }) }
  })
  return {
    options: full,
    train,
    test: TEST_PROMPTS.map((prompt, i) => exampleOf(prompt, 'test', i + 1, [])),
    ties: drafts.length - pairs.length,
    truth: (id) => truths.get(id) as Pick<Truth, 'flipped' | 'rewards'>,
  }
}

/** Every annotator's share of errors, from pairs that two of them labelled: they disagree in 2e(1 − e) of them. */
export function errorOfAnnotators(train: readonly Example[]): {
  error: number
  pairs: number
  disagree: number
} {
  const twice = train.flatMap(({ votes }) => (votes ? [votes[0].better !== votes[1].better] : []))
  const disagree = twice.filter(Boolean).length
  const share = Math.min(0.5, disagree / Math.max(1, twice.length))
  // A few dozen pairs exclude neither end; rescoring takes no label for certain, and none for worthless.
  const error = Math.min(0.45, Math.max(0.05, (1 - Math.sqrt(1 - 2 * share)) / 2))
  return { error, pairs: twice.length, disagree }
}

interface Draft {
  prompt: TalkPrompt
  texts: Candidate[]
  /** Worth of the first minus that of the second. */
  gap: number
}

/** Of every sampled answer its edited form against another answer, in random order. */
function pairsOf(prompt: TalkPrompt, i: number, sampled: readonly string[], random: Random): Draft[] {
  return sampled.map((own, k) => {
    const edited = { text: editedText(own), origin: 'editor' }
    const other = { text: sampled[(k + 1) % sampled.length], origin: 'model' }
    const refusal = { text: prompt.refusal ?? random.pick(NEEDLESS), origin: 'written' }
    const isLast = k === sampled.length - 1 && k > 0
    const pair =
      prompt.kind === 'decline'
        ? [refusal, isLast ? edited : other]
        : [edited, isLast && i % NEEDLESS_EVERY === 0 ? refusal : other]
    const texts = random.shuffle(pair)
    const [a, b] = texts.map(({ text }) => talkReward(prompt.text, text))
    return { prompt, texts, gap: a - b }
  })
}

/** The first sentences, without a greeting and the like; those that were cut off are left out where there are others. */
function editedText(text: string): string {
  const sentences = sentencesOf(text).filter(
    (sentence) =>
      !/^(?:certainly|sure|of course|absolutely|hello|here(?:'s| is| are))\b[^.]{0,60}[!:.]$/i.test(sentence),
  )
  const whole = sentences.filter((sentence) => /[.!?]["')”’]*$/.test(sentence))
  return (whole.length > 0 ? whole : sentences).slice(0, BRIEF).join(' ')
}

/** `count` of the numbers below `total`. */
const chosen = ({ seed }: TalkOptions, what: string, total: number, count: number): Set<number> =>
  new Set(
    createRandom(`talk:${seed}:${what}`)
      .shuffle(Array.from({ length: total }, (_, i) => i))
      .slice(0, count),
  )

const dialogueOf = (text: string): Message[] => [{ role: 'user', content: text }]

/** The prompts to sample answers to. */
export const talkExamples = (): Example[] =>
  TRAIN_PROMPTS.map((prompt, i) => exampleOf(prompt, 'train', i + 1, []))

function exampleOf({ text, kind }: TalkPrompt, split: string, row: number, candidates: Candidate[]): Example {
  const id = `talk-${split}-${row}`
  return {
    id,
    prompt: dialogueOf(text),
    candidates,
    preferences: [],
    source: kind,
    file: `talk ${split}`,
    row,
  }
}
