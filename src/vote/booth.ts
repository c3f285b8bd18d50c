/** The state of a vote: what each rater has said and sees next. All of it follows from the comparison's file. */
import { sha256 } from '../files/digest.js'
import type { ComparisonLog } from '../verdicts/comparison-file.js'
import type { Outcome, VerdictRow } from '../verdicts/types.js'
import { createPairTally, mostTelling, type PairTally } from './pairs.js'
import { type Entry, planOf } from './plan.js'
import { type Ballot, type BallotFacts, rowsOf, type ShownAnswer, shownAnswers, type Task, taskOf, type VoteMode } from './tasks.js'
import { type Given, givenBallots, undoRows } from './given.js'

export interface BoothOptions {
  mode: VoteMode
  /** Share of the items that each rater sees twice. */
  repeats: number
  secret: string
  now?(): Date
}

export interface View {
  rater: string
  done: number
  total: number
  /** What comes next, the first one first. */
  tasks: Task[]
  /** The task that an undo would bring back. */
  last?: string
}

export type BallotResult = 'taken' | 'known' | 'conflict' | 'unknown'

export interface Booth {
  view(rater: string): View
  /**
   * The rows are on the disk when this returns.
   * @returns `known`: the same was said before; `conflict`: something else was, and stands; `unknown`: no task of this rater
   */
  vote(rater: string, task: string, ballot: Ballot, facts: Omit<BallotFacts, 'settings' | 'at'>): BallotResult
  /** Takes back the rater's last ballot. @returns `conflict`: another one is the last; `known`: it is taken back already */
  undo(rater: string, task: string): BallotResult
}

interface Rater {
  name: string
  plan: Entry[]
  given: Given[]
  /** Pairs that were handed out, by item. */
  handed: Map<number, readonly ShownAnswer[]>
}

/** Tasks that a page holds ahead. */
const AHEAD = 3

/** Items with at least two answers whose texts are known are asked; the settings of the rows tell the mode. */
export function openBooth(log: ComparisonLog, options: BoothOptions): Booth {
  const { items, header, rows } = log.comparison
  const { mode, repeats, secret, now = () => new Date() } = options
  const settings = sha256(`clha vote, page 1, ${mode}`)
  const asked = [...items.keys()].filter((i) => shownAnswers(items[i]).length > 1)
  const tally = createPairTally()
  const raters = new Map<string, Rater>()
  const given = givenBallots(rows, items)
  // A ranking of which a kill left a part is no ranking: it is taken back, and asked again.
  for (const one of given) if (!isWhole(one, items[one.item].answers.length, mode)) log.append(...undoRows(one, now()))
  const whole = given.filter((one) => isWhole(one, items[one.item].answers.length, mode))
  for (const one of whole) count(tally, one.rows, 1)

  const raterOf = (name: string): Rater => {
    const found = raters.get(name)
    if (found) return found
    const plan = planOf(asked.length, `${header.hash}:${name}`, repeats).map(({ item, nth }) => ({ item: asked[item], nth }))
    const rater = { name, plan, given: whole.filter(({ rater }) => rater === name), handed: new Map() }
    raters.set(name, rater)
    return rater
  }
  const answersFor = (rater: Rater, item: number): readonly ShownAnswer[] => {
    const earlier = rater.given.find((one) => one.item === item)
    const known = shownAnswers(items[item])
    if (mode === 'rank' || known.length === 2) return known
    if (earlier) return known.filter(({ system }) => earlier.systems.includes(system))
    const handed = rater.handed.get(item) ?? telling(known, item)
    rater.handed.set(item, handed)
    return handed
  }
  const telling = (answers: readonly ShownAnswer[], item: number): readonly ShownAnswer[] => {
    const pairs = answers.flatMap((a, i) =>
      answers.slice(i + 1).map((b) => ({ answers: [a, b], systems: [a.system, b.system] as const })),
    )
    const out = [...raters.values()].flatMap(({ handed }) => [...handed.values()])
    const waiting = ([a, b]: readonly [string, string]) =>
      out.filter((pair) => pair.some(({ system }) => system === a) && pair.some(({ system }) => system === b)).length
    return mostTelling(pairs, tally, waiting, `${header.hash}:${item}`).answers
  }
  const named = (rater: Rater, entry: Entry, answers = answersFor(rater, entry.item)) =>
    taskOf(entry, answers, { rater: rater.name, seed: header.hash, secret })
  const openEntries = ({ plan, given }: Rater) => {
    const times = new Map<number, number>()
    for (const { item } of given) times.set(item, (times.get(item) ?? 0) + 1)
    return plan.filter(({ item, nth }) => (times.get(item) ?? 0) <= nth)
  }
  /** The task of an answered entry, as it was handed out. */
  const answered = (rater: Rater, one: Given): Task => {
    const before = rater.given.slice(0, rater.given.indexOf(one)).filter(({ item }) => item === one.item).length
    const answers = shownAnswers(items[one.item]).filter(({ system }) => one.systems.includes(system))
    return named(rater, { item: one.item, nth: before }, answers)
  }
  /** Also a task that an earlier process handed out, whatever pair it chose. */
  const openTask = (rater: Rater, id: string): Task | undefined => {
    for (const entry of openEntries(rater)) {
      const known = shownAnswers(items[entry.item])
      const choices =
        mode === 'rank' || rater.given.some(({ item }) => item === entry.item)
          ? [answersFor(rater, entry.item)]
          : known.flatMap((a, i) => known.slice(i + 1).map((b) => [a, b]))
      const found = choices.map((answers) => named(rater, entry, answers)).find((task) => task.id === id)
      if (found) return found
    }
    return undefined
  }
  return {
    view(name) {
      const rater = raterOf(name)
      const open = openEntries(rater)
      const last = rater.given.at(-1)
      return {
        rater: name,
        ...{ done: rater.plan.length - open.length, total: rater.plan.length },
        tasks: open.slice(0, AHEAD).map((entry) => named(rater, entry)),
        ...(last && { last: answered(rater, last).id }),
      }
    },
    vote(name, id, ballot, facts) {
      const rater = raterOf(name)
      const task = openTask(rater, id)
      if (task === undefined) {
        const earlier = rater.given.find((one) => answered(rater, one).id === id)
        if (earlier === undefined) return 'unknown'
        const same = rowsOf(answered(rater, earlier), items[earlier.item], ballot, { ...facts, settings, at: '' })
        return same.every(({ verdict }, i) => verdict === earlier.rows[i]?.verdict) ? 'known' : 'conflict'
      }
      const at = now().toISOString()
      const rows = rowsOf(task, items[task.item], ballot, { ...facts, settings, at })
      log.append(...rows)
      rater.handed.delete(task.item)
      rater.given.push({ rater: name, item: task.item, systems: task.answers.map(({ system }) => system), rows })
      count(tally, rows, 1)
      return 'taken'
    },
    undo(name, id) {
      const rater = raterOf(name)
      const last = rater.given.at(-1)
      if (last === undefined || answered(rater, last).id !== id)
        return openTask(rater, id) ? 'known' : rater.given.some((one) => answered(rater, one).id === id) ? 'conflict' : 'unknown'
      log.append(...undoRows(last, now()))
      rater.given.pop()
      rater.handed.set(last.item, shownAnswers(items[last.item]).filter(({ system }) => last.systems.includes(system)))
      count(tally, last.rows, -1)
      return 'taken'
    },
  }
}

const isWhole = ({ rows, systems }: Given, answers: number, mode: VoteMode): boolean =>
  mode === 'pair' || rows.length === (systems.length * (systems.length - 1)) / 2 || answers < 3

function count(tally: PairTally, rows: readonly VerdictRow[], times: 1 | -1): void {
  for (const { systems, verdict } of rows) if (verdict !== 'skip') tally.add(systems as [string, string], verdict as Outcome, times)
}
