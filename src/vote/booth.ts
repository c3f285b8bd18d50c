/** Where raters vote: what each sees next, ballots that are on the disk before they are confirmed, and taking back. */
import type { ComparisonLog } from '../verdicts/comparison-file.js'
import { type Given, givenBallots, undoRows } from './given.js'
import {
  answeredTask,
  answersOf,
  type Hall,
  nextTask,
  openEntries,
  openTask,
  type Rater,
  raterOf,
  tallyRows,
} from './hall.js'
import { createPairTally } from './pair-tally.js'
import { settingsOf, type VoteSetup } from './setup.js'
import { type Ballot, type BallotFacts, rowsOf, shownAnswers, type Task } from './tasks.js'

export interface BoothOptions extends VoteSetup {
  /** Names tasks; the same after a restart, so that pages which are open go on. */
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

/**
 * `known`: it was so already. `conflict`: something else stands. `unknown`: no task of this rater.
 */
export type BallotResult = 'taken' | 'known' | 'conflict' | 'unknown'

export interface Booth {
  view(rater: string): View
  /** How many answers an open task has; undefined where it is none of this rater. */
  places(rater: string, task: string): number | undefined
  /** The rows are on the disk when this returns. The same ballot again, such as after a lost answer, is `known`. */
  vote(rater: string, task: string, ballot: Ballot, facts: Omit<BallotFacts, 'settings' | 'at'>): BallotResult
  /** Takes back the rater's last ballot; `conflict` where the task is not the last one. */
  undo(rater: string, task: string): BallotResult
}

/** Tasks that a page holds ahead. */
const AHEAD = 3

export function openBooth(log: ComparisonLog, options: BoothOptions): Booth {
  const { now = () => new Date() } = options
  const settings = settingsOf(options.mode)
  const hall = openHall(log, { ...options, now }, settings)
  return {
    view(name) {
      const rater = raterOf(hall, name)
      const open = openEntries(rater)
      const last = rater.given.at(-1)
      return {
        rater: name,
        done: rater.plan.length - open.length,
        total: rater.plan.length,
        tasks: open.slice(0, AHEAD).map((entry) => nextTask(hall, rater, entry)),
        ...(last && { last: answeredTask(hall, rater, last).id }),
      }
    },
    places: (name, id) => openTask(hall, raterOf(hall, name), id)?.places.length,
    vote(name, id, ballot, facts) {
      const rater = raterOf(hall, name)
      const task = openTask(hall, rater, id)
      if (task === undefined) return answeredBefore(hall, rater, id, ballot)
      const rows = rowsOf(task, hall.items[task.item], ballot, {
        ...facts,
        settings,
        at: now().toISOString(),
      })
      log.append(...rows)
      rater.handed.delete(task.item)
      rater.given.push({
        rater: name,
        item: task.item,
        systems: task.answers.map(({ system }) => system),
        rows,
      })
      tallyRows(hall.tally, rows, 1)
      return 'taken'
    },
    undo(name, id) {
      const rater = raterOf(hall, name)
      const last = rater.given.at(-1)
      if (last === undefined || answeredTask(hall, rater, last).id !== id)
        return undoneBefore(hall, rater, id)
      log.append(...undoRows(last, now()))
      rater.given.pop()
      rater.handed.set(last.item, answersOf(hall, last))
      tallyRows(hall.tally, last.rows, -1)
      return 'taken'
    },
  }
}

/** A ranking of which a kill left a part is none: it is taken back, and asked again. */
function openHall(log: ComparisonLog, options: Required<BoothOptions>, settings: string): Hall {
  const { mode, repeats, secret, now } = options
  const { items, header, rows } = log.comparison
  const all = givenBallots(rows, items)
  const isPart = (ballot: Given) =>
    mode === 'rank' && ballot.rows[0].settings === settings && missesRows(ballot, items)
  for (const part of all.filter(isPart)) log.append(...undoRows(part, now()))
  const given = all.filter((ballot) => !isPart(ballot))
  const tally = createPairTally()
  for (const ballot of given) tallyRows(tally, ballot.rows, 1)
  return { items, seed: header.hash, secret, mode, repeats, given, tally, raters: new Map() }
}

function undoneBefore(hall: Hall, rater: Rater, id: string): BallotResult {
  if (openTask(hall, rater, id)) return 'known'
  return rater.given.some((ballot) => answeredTask(hall, rater, ballot).id === id) ? 'conflict' : 'unknown'
}

function answeredBefore(hall: Hall, rater: Rater, id: string, ballot: Ballot): BallotResult {
  const earlier = rater.given.find((one) => answeredTask(hall, rater, one).id === id)
  if (earlier === undefined) return 'unknown'
  const said = rowsOf(answeredTask(hall, rater, earlier), hall.items[earlier.item], ballot, {
    settings: '',
    at: '',
  })
  return said.every(({ verdict }, i) => verdict === earlier.rows[i]?.verdict) ? 'known' : 'conflict'
}

function missesRows({ item, rows }: Given, items: Hall['items']): boolean {
  const n = shownAnswers(items[item]).length
  return rows.length < (n * (n - 1)) / 2
}
