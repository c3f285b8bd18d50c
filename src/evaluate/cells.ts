/** One finished cell of an experiment, a line of its results file: what was run, where, and what came out. */
import { usageError } from '../errors.js'
import { openAppendLog, readLog } from '../files/append-log.js'

/** The scorer of real data: held-out labels of people, 1 where the policy finds the preferred answer likelier. */
export const LABELS = 'labels'

/** What a cell differs in from its neighbours; the seed is not one of them. */
export interface Factors {
  /** Name of the method or ablation, as the experiment's file gives it. */
  variant: string
  /** Share of labels reversed on purpose. */
  noise?: number
  /** Sampled answers added to each prompt. */
  augmented?: number
}

export interface Cell extends Factors {
  /** SHA-256 of everything that decides the result. */
  hash: string
  seed: number
  /** SHA-256 of the data and the start model, of real data; a cell of an earlier version has none. */
  inputs?: string
  learningRate: number
  /** Rewards of the greedy answers to the test prompts, in one order for all cells of a seed, by scorer. */
  rewards: Record<string, number[]>
  /** Single figures: kl, length, distinct2, repetition, steps, audit precision and recall … */
  figures: Record<string, number>
  /** Of the cell's own training and evaluation. */
  seconds: number
  machine: string
  version: string
}

/** Cells of a results file by their hash; the last line of a hash counts. Nothing is read where there is no file. */
export function readCells(path: string): Map<string, Cell> {
  const cells = new Map<string, Cell>()
  // A line that a crash cut is left out: its cell is run again.
  for (const [i, line] of readLog(path).lines.entries()) {
    if (line !== '') cells.set(...entryOf(line, `${path}:${i + 1}`))
  }
  return cells
}

function entryOf(line: string, where: string): [string, Cell] {
  try {
    const cell = JSON.parse(line) as Cell
    if (typeof cell.hash === 'string' && typeof cell.seed === 'number' && cell.rewards)
      return [cell.hash, cell]
  } catch {}
  throw usageError(`${where}: not a finished cell`, 'remove the line; the cell is then run again')
}

/** Appends a cell as one write, on a line of its own. */
export function appendCell(path: string, cell: Cell): void {
  const log = openAppendLog(path)
  try {
    log.append(JSON.stringify(cell))
    log.sync()
  } finally {
    log.close()
  }
}

export const sameFactors = (a: Factors, b: Factors): boolean =>
  a.variant === b.variant && a.noise === b.noise && a.augmented === b.augmented
