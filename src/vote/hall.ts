/** What all raters of a comparison share, and which task stands for what: everything follows from the comparison's file. */
import type { ComparisonItem, VerdictRow } from '../verdicts/types.js'
import type { Given } from './given.js'
import { mostTelling, type PairTally } from './pair-tally.js'
import { type Entry, planOf } from './rater-plan.js'
import { type ShownAnswer, shownAnswers, type Task, taskOf, type VoteMode } from './tasks.js'

export interface Hall {
  items: readonly ComparisonItem[]
  /** Of the comparison: plans, places and pairs are drawn from it. */
  seed: string
  /** Names tasks. */
  secret: string
  mode: VoteMode
  /** Share of the items that each rater sees twice. */
  repeats: number
  /** Ballots of all raters when the hall was opened. */
  given: readonly Given[]
  tally: PairTally
  raters: Map<string, Rater>
}

export interface Rater {
  name: string
  plan: readonly Entry[]
  /** Ballots that stand, in the order in which they were given. */
  given: Given[]
  /** Pairs that were handed out and did not come back, by item. */
  handed: Map<number, readonly ShownAnswer[]>
}

export function raterOf(hall: Hall, name: string): Rater {
  const found = hall.raters.get(name)
  if (found) return found
  // Items with one answer, or without texts, can't be asked.
  const asked = [...hall.items.keys()].filter((i) => shownAnswers(hall.items[i]).length > 1)
  const plan = planOf(asked.length, `${hall.seed}:${name}`, hall.repeats)
  const rater: Rater = {
    name,
    plan: plan.map(({ item, nth }) => ({ item: asked[item], nth })),
    given: hall.given.filter((one) => one.rater === name),
    handed: new Map(),
  }
  hall.raters.set(name, rater)
  return rater
}

/** What the rater has not answered. What was passed is not asked again: there is nothing to repeat. */
export function openEntries({ plan, given }: Rater): Entry[] {
  const times = new Map<number, number>()
  for (const { item } of given) times.set(item, (times.get(item) ?? 0) + 1)
  const passed = new Set(
    given.filter(({ rows }) => rows.every(({ verdict }) => verdict === 'skip')).map(({ item }) => item),
  )
  return plan.filter(({ item, nth }) => !passed.has(item) && (times.get(item) ?? 0) <= nth)
}

/** The task of an open entry; which pair it is of is settled once it was handed out. */
export function nextTask(hall: Hall, rater: Rater, entry: Entry): Task {
  const settled = settledAnswers(hall, rater, entry.item) ?? tellingPair(hall, entry.item)
  rater.handed.set(entry.item, settled)
  return named(hall, rater, entry, settled)
}

/** The task that a ballot answered. */
export function answeredTask(hall: Hall, rater: Rater, ballot: Given): Task {
  const before = rater.given.slice(0, rater.given.indexOf(ballot))
  const nth = before.filter(({ item }) => item === ballot.item).length
  return named(hall, rater, { item: ballot.item, nth }, answersOf(hall, ballot))
}

/** An open task by its id, also one that an earlier process handed out, whatever pair it chose. */
export function openTask(hall: Hall, rater: Rater, id: string): Task | undefined {
  for (const entry of openEntries(rater)) {
    const settled =
      entry.nth > 0 || hall.mode === 'rank' ? settledAnswers(hall, rater, entry.item) : undefined
    const choices = settled ? [settled] : pairsOf(shownAnswers(hall.items[entry.item]))
    const found = choices.map((answers) => named(hall, rater, entry, answers)).find((task) => task.id === id)
    if (found) return found
  }
  return undefined
}

const named = (hall: Hall, { name }: Rater, entry: Entry, answers: readonly ShownAnswer[]): Task =>
  taskOf(entry, answers, {
    rater: name,
    prompt: hall.items[entry.item].prompt,
    seed: hall.seed,
    secret: hall.secret,
  })

export const answersOf = ({ items }: Pick<Hall, 'items'>, { item, systems }: Given): ShownAnswer[] =>
  shownAnswers(items[item]).filter(({ system }) => systems.includes(system))

function settledAnswers(hall: Hall, rater: Rater, item: number): readonly ShownAnswer[] | undefined {
  const all = shownAnswers(hall.items[item])
  if (hall.mode === 'rank' || all.length === 2) return all
  const earlier = rater.given.find((ballot) => ballot.item === item)
  return earlier ? answersOf(hall, earlier) : rater.handed.get(item)
}

const pairsOf = (answers: readonly ShownAnswer[]): ShownAnswer[][] =>
  answers.flatMap((a, i) => answers.slice(i + 1).map((b) => [a, b]))

function tellingPair({ items, tally, raters, seed }: Hall, item: number): readonly ShownAnswer[] {
  const out = [...raters.values()].flatMap(({ handed }) => [...handed.values()])
  const waiting = (pair: readonly [string, string]) =>
    out.filter((answers) => pair.every((name) => answers.some(({ system }) => system === name))).length
  const candidates = pairsOf(shownAnswers(items[item])).map((answers) => ({
    answers,
    systems: [answers[0].system, answers[1].system] as const,
  }))
  return mostTelling(candidates, tally, waiting, `${seed}:${item}`).answers
}

/** Counts a ballot in, or out again. */
export function tallyRows(tally: PairTally, rows: readonly VerdictRow[], times: 1 | -1): void {
  for (const { systems, verdict } of rows) {
    if (verdict === 'a' || verdict === 'b' || verdict === 'tie' || verdict === 'both_bad')
      tally.add(systems, verdict, times)
  }
}
