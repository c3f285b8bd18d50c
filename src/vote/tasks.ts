/** What is asked of a rater: answers of one item, by the places in which they stand. */
import { createHmac } from 'node:crypto'
import { type Prompt, promptKey } from '../dialogue.js'
import { createRandom, hashUnit } from '../random.js'
import { goldOf } from '../verdicts/gold.js'
import type { ComparedAnswer, ComparisonItem, Outcome, VerdictRow } from '../verdicts/types.js'
import type { Entry } from './rater-plan.js'

/** An answer whose text is known. */
export type ShownAnswer = ComparedAnswer & { text: string }

export const MODES = ['pair', 'rank'] as const

/** Two answers side by side, or up to four to be ranked. */
export type VoteMode = (typeof MODES)[number]

/** Most answers on one page. */
export const MOST_RANKED = 4

export interface Task extends Entry {
  /** Says nothing of what it names. */
  id: string
  rater: string
  prompt: Prompt
  /** As the comparison has them. */
  answers: readonly ShownAnswer[]
  /** Indices into `answers`, in the order in which they stand on the page. */
  places: readonly number[]
}

/** Answers of an item that can be shown. */
export const shownAnswers = ({ answers }: ComparisonItem): ShownAnswer[] =>
  answers.filter((answer): answer is ShownAnswer => answer.text !== undefined)

/**
 * @param seed of the comparison; places are drawn for each rater and item, and a repeat has them reversed
 * @param secret names the task
 */
export function taskOf(
  { item, nth }: Entry,
  answers: readonly ShownAnswer[],
  { rater, prompt, seed, secret }: { rater: string; prompt: Prompt; seed: string; secret: string },
): Task {
  const names = answers.map(({ system }) => system)
  const draw = JSON.stringify([seed, rater, item, names])
  const id = createHmac('sha256', secret)
    .update(JSON.stringify([draw, nth]))
    .digest('hex')
    .slice(0, 20)
  const indices = answers.map((_, i) => i)
  const first =
    indices.length > 2
      ? createRandom(draw).shuffle(indices)
      : hashUnit(draw) < 0.5
        ? indices
        : indices.toReversed()
  return { id, rater, prompt, item, nth, answers, places: nth % 2 === 0 ? first : first.toReversed() }
}

/** What a rater said. `ranks` is one number for each place, 1 for the best; equal ones are ties. */
export type Ballot = { ranks: readonly number[] } | { all: 'both_bad' | 'skip' }

export interface BallotFacts {
  settings: string
  milliseconds?: number
  comment?: string
  at: string
}

/** A ballot as rows: one for every two of the answers. */
export function rowsOf(task: Task, item: ComparisonItem, ballot: Ballot, facts: BallotFacts): VerdictRow[] {
  const { answers, places, rater } = task
  const { milliseconds, comment, at, settings } = facts
  return answers.flatMap((a, i) =>
    answers.slice(i + 1).map((b, k): VerdictRow => {
      const [first, second] = [places.indexOf(i), places.indexOf(i + 1 + k)]
      return {
        item: item.item,
        prompt: promptKey(item.prompt),
        a: a.answer,
        b: b.answer,
        shown: first < second ? 'ab' : 'ba',
        verdict: 'all' in ballot ? ballot.all : outcomeOf(ballot.ranks[first], ballot.ranks[second]),
        rater,
        kind: 'person',
        systems: [a.system, b.system],
        settings,
        ...(milliseconds !== undefined && { milliseconds }),
        ...(comment !== undefined && comment !== '' && { comment }),
        ...goldOf(item, a, b),
        at,
      }
    }),
  )
}

const outcomeOf = (a: number, b: number): Outcome => (a === b ? 'tie' : a < b ? 'a' : 'b')
