/** What a row says about several answers: ranks, a label that names the best, a signed preference, votes of annotators. */
import { isObject } from '../../../files/json.js'
import type { Preference, Vote } from '../../example.js'
import { majorities, type PairVotes, votesOfPair } from '../../pair-votes.js'
import { structuralFault } from '../../read/row-fault.js'
import { isAbsent, labelOf, type RawRow } from '../format.js'
import { valueName } from '../type-name.js'
import { labelled, type Named, type Ranks } from './label.js'

/** Columns that name the best answer, in the order in which they are looked for. */
export const LABEL_COLUMNS = [
  ...[
    'label',
    'labels',
    'preferred',
    'preference',
    'winner',
    'choice',
    'best',
    'better',
    'verdict',
    'result',
  ],
  ...['better_response_id', 'preferred_response', 'preferred_answer', 'preferred_output', 'human_preference'],
  ...['overall_preference', 'preference_strength', 'votes', 'chosen'],
]

/** Columns whose number is below 0 where the first of two answers is better (HelpSteer 2 and 3). */
const SIGNED = new Set(['overall_preference', 'preference_strength'])

const RANK_COLUMNS = ['ranks', 'ranking', 'rankings']

/**
 * The preferences that a row states: of its ranks, else of its label. Several annotators count by the majority for each
 * pair of answers; a tie is no preference.
 * @throws RowFault (structural) for a label that is null or names none of the answers, and for ranks of another length
 */
export function statedPreferences(row: RawRow, answers: Named): Stated {
  const ranks = RANK_COLUMNS.find((column) => row[column] !== undefined && row[column] !== null)
  if (ranks !== undefined) return majority(readRanks(row[ranks], ranks, answers))
  const winner = oneHot(row, answers)
  if (winner) return majority([{ ranks: winner, weight: 1 }])
  // Files with one set of columns leave `votes` null where nobody voted.
  const label = LABEL_COLUMNS.find(
    (column) => column in row && !(column === 'votes' && isAbsent(row, column)),
  )
  return majority(label === undefined ? annotatorVotes(row, answers) : votesOf(row[label], label, answers))
}

/** PandaLM: a column an annotator, with the number of the better answer, or 0 for a tie. */
function annotatorVotes(row: RawRow, answers: Named): Ballot[] {
  const columns = Object.keys(row).filter((column) => /^annotator_?\d+$/i.test(column))
  const isTie = (value: unknown) => String(value) === '0' && !answers.suffixes.includes('0')
  return columns.map((column) => ({
    ranks: isTie(row[column]) ? answers.names.map(() => 1) : labelled(row[column], column, answers),
    weight: 1,
  }))
}

/** What a row says of its answers: of each pair the majority, and all votes on those that got several. */
export interface Stated {
  preferences: Preference[]
  votes?: Vote[]
}

interface Ballot {
  ranks: Ranks
  weight: number
}

/** Every pair of answers by its votes. */
function majority(ballots: readonly Ballot[]): Stated {
  const count = ballots[0]?.ranks.length ?? 0
  const pairs: PairVotes[] = []
  for (let first = 0; first < count; first++) {
    for (let second = first + 1; second < count; second++) {
      const pair = { first, second, up: 0, down: 0 }
      for (const { ranks, weight } of ballots) {
        const [a, b] = [ranks[first], ranks[second]]
        if (a === null || b === null) continue
        if (a < b) pair.up += weight
        else if (b < a) pair.down += weight
      }
      pairs.push(pair)
    }
  }
  const votes = pairs.filter(({ up, down }) => up + down > 1).flatMap(votesOfPair)
  return { preferences: majorities(pairs), ...(votes.length > 0 && { votes }) }
}

function readRanks(value: unknown, column: string, answers: Named): Ballot[] {
  if (Array.isArray(value) && value.length > 0 && value.every(Array.isArray)) {
    return value.flatMap((one, i) => readRanks(one, `${column}[${i}]`, answers))
  }
  const { names } = answers
  const list = isObject(value) ? names.map((name) => value[name] ?? null) : value
  if (!Array.isArray(list))
    throw structuralFault('wrong_type', `${column} is ${valueName(list)}, not a list of numbers`)
  if (list.length > 0 && list.every((item) => typeof item === 'string' && Number.isNaN(Number(item)))) {
    return [{ ranks: labelled(list.join(' > '), column, answers), weight: 1 }]
  }
  const numbers = list.map((item) => (item === null || Number.isNaN(item) ? null : Number(item)))
  const odd = numbers.findIndex((item) => item !== null && !Number.isFinite(item))
  if (odd >= 0)
    throw structuralFault('wrong_type', `${column}[${odd}] is ${valueName(list[odd])}, not a number`)
  if (numbers.length !== names.length) {
    throw structuralFault(
      'wrong_length',
      `${column} has ${numbers.length} numbers for ${names.length} answers`,
    )
  }
  return [{ ranks: numbers, weight: 1 }]
}

/** LMSYS: `winner_model_a: 1, winner_model_b: 0, winner_tie: 0`. */
function oneHot(row: RawRow, { suffixes }: Named): Ranks | undefined {
  const marks = suffixes.map((suffix) => row[`winner_model_${suffix}`] ?? row[`winner_${suffix}`])
  if (marks.length === 0 || marks.some((mark) => mark === undefined)) return undefined
  const wins = marks.map(labelOf)
  const odd = wins.indexOf(undefined)
  if (odd >= 0)
    throw structuralFault(
      'wrong_type',
      `the winner mark of "${suffixes[odd]}" is ${valueName(marks[odd])}, not 1 or 0`,
    )
  const won = wins.filter(Boolean).length
  // `winner_tie`, and `winner_tie_bothbad` beside it.
  const ties = Object.keys(row).filter((column) => column.startsWith('winner_tie'))
  if (won > 1 || (won === 0 && ties.length > 0 && ties.every((column) => labelOf(row[column]) === false)))
    throw structuralFault('wrong_type', `${won} answers are marked as the winner, and no tie`)
  return wins.map((win) => (win ? 1 : 2))
}

/** One label, a list of them (one an annotator), or the votes that each answer got. */
function votesOf(value: unknown, column: string, answers: Named): Ballot[] {
  if (Array.isArray(value)) {
    if (value.length === 0) throw structuralFault('wrong_type', `${column} is an empty array`)
    if (column === 'votes' && value.length === answers.names.length && value.every(Number.isInteger)) {
      return counted(value.map((count, i) => checkedCount(count, `${column}[${i}]`)))
    }
    return value.map((one, i) => ({ ranks: oneVote(one, `${column}[${i}]`, column, answers), weight: 1 }))
  }
  const counts = isObject(value) ? Object.entries(value) : []
  if (counts.length > 0 && counts.every(([, count]) => Number.isInteger(count))) {
    return counts.map(([name, count]) => ({
      ranks: labelled(name, `a name in ${column}`, answers),
      weight: checkedCount(count as number, `${column}.${name}`),
    }))
  }
  return [{ ranks: oneVote(value, column, column, answers), weight: 1 }]
}

function checkedCount(count: number, at: string): number {
  if (count >= 0) return count
  throw structuralFault('wrong_type', `${at} is ${count}: votes are counted from 0`)
}

const counted = (counts: readonly number[]): Ballot[] =>
  counts.map((weight, best) => ({ ranks: counts.map((_, i) => (i === best ? 1 : 2)), weight }))

function oneVote(value: unknown, at: string, column: string, answers: Named): Ranks {
  const inside = isObject(value) ? (value.score ?? value.label ?? value.preference ?? value.vote) : value
  if (!SIGNED.has(column)) return labelled(inside, at, answers)
  const sign = typeof inside === 'string' && inside.trim() !== '' ? Number(inside) : inside
  if (typeof sign !== 'number' || !Number.isFinite(sign) || answers.names.length !== 2) {
    throw structuralFault(
      'wrong_type',
      `${at} is ${JSON.stringify(inside) ?? 'missing'}, not the signed number of a pair`,
    )
  }
  return [Math.sign(sign), -Math.sign(sign)]
}
