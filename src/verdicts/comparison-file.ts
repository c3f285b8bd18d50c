/** The file of a comparison: a header, a line an item, and verdicts that are only ever appended. */
import { basename, dirname, join } from 'node:path'
import { promptKey } from '../dialogue.js'
import { busyError, usageError } from '../errors.js'
import { openAppendLog, readLog } from '../files/append-log.js'
import { crc32 } from '../files/crc32.js'
import { sha256 } from '../files/digest.js'
import { makeFolder } from '../files/folder.js'
import { jsonFault } from '../files/strict-json.js'
import { writeWhole } from '../files/whole.js'
import type { TakeLock } from '../runs/open-run.js'
import { answerHash, headerShape, itemShape, rowShape, shapeFault, unknownAnswer } from './shapes.js'
import type { Comparison, ComparisonHeader, ComparisonItem, VerdictRow } from './types.js'

export interface ComparisonLog {
  /** As the file was when it was opened. */
  readonly comparison: Comparison
  /** The rows are on the disk when this returns. @throws ClhaError (exit 2) for a row of another comparison */
  append(...rows: readonly VerdictRow[]): void
  /** Releases the file. */
  close(): void
}

export interface ComparisonOptions {
  /** What is compared, for people. */
  name?: string
  /** Taken on `.<name>.lock` beside the file until the log is closed. */
  lock: TakeLock
}

/**
 * Opens the file of a comparison for appending, and begins it where it is missing.
 * @throws ClhaError exit 3: another process writes it; exit 2: it is of other items, or was edited
 */
export function openComparison(
  path: string,
  items: readonly ComparisonItem[],
  { name, lock }: ComparisonOptions,
): ComparisonLog {
  makeFolder(dirname(path))
  const held = lock(join(dirname(path), `.${basename(path)}.lock`))
  if (!held) {
    throw busyError(`${path}: another process writes this comparison`, 'end it, or write to another file')
  }
  try {
    const { header, lines } = headed(path, items, name)
    if (readLog(path).lines.length === 0) writeWhole(path, lines.map((line) => `${line}\n`).join(''))
    const comparison = readComparison(path)
    if (comparison.header.hash !== header.hash) throw otherComparison(path, comparison.header, header)
    return logOf(path, comparison, () => held.release())
  } catch (error) {
    held.release()
    throw error
  }
}

function logOf(path: string, comparison: Comparison, release: () => void): ComparisonLog {
  const log = openAppendLog(path)
  const check = rowCheck(comparison.items)
  let last = lastCheck(log.lines, comparison.header)
  return {
    comparison,
    append(...rows) {
      for (const row of rows) {
        const fault = shapeFault(rowShape, row) ?? check(row)
        if (fault) throw usageError(`${path}: a verdict of ${row.rater} can't be written: ${fault}`)
        const line = sealed(JSON.stringify(row), last)
        last = sealOf(line)
        log.append(line)
      }
      log.sync()
    },
    close() {
      log.close()
      release()
    },
  }
}

/**
 * Reads a comparison. Every line is checked: its shape, the item and answers that it names, and that it stands where it
 * was written.
 * @throws ClhaError (exit 2) with file and line
 */
export function readComparison(path: string): Comparison {
  const { lines, torn } = readLog(path)
  if (lines.length === 0) throw usageError(`${path}: no comparison here`, MAKE)
  const header = parsed<ComparisonHeader>(lines[0], headerShape, `${path}:1`)
  const itemLines = lines.slice(1, 1 + header.items)
  if (itemLines.length < header.items) {
    throw usageError(`${path}: names ${header.items} items and holds ${itemLines.length}`, RESTORE)
  }
  const items = itemLines.map((line, i) => parsed<ComparisonItem>(line, itemShape, `${path}:${i + 2}`))
  if (hashOf(itemLines) !== header.hash) {
    throw usageError(`${path}: its prompts or answers were changed after the comparison began`, RESTORE)
  }
  const fault = itemsFault(items)
  if (fault) throw usageError(`${path}: ${fault}`, MAKE)
  const check = rowCheck(items)
  let seal = header.hash
  const rows = lines.slice(1 + header.items).map((line, i) => {
    const where = `${path}:${i + 2 + header.items}`
    const row = parsed<VerdictRow>(unsealed(line, seal, where), rowShape, where)
    seal = sealOf(line)
    const wrong = check(row)
    if (wrong) throw usageError(`${where}: ${wrong}`, 'The verdict is of another comparison.')
    return row
  })
  return { path, header, items, rows, torn }
}

const MAKE = 'Comparisons are made by `clha judge`, `clha vote`, `clha compare` and `clha verdicts import`.'
const RESTORE = 'Restore the file, or begin another one.'

/** The lines of a comparison that has no verdict yet. @throws ClhaError (exit 2) for items that can't be one */
function headed(path: string, items: readonly ComparisonItem[], name?: string) {
  const fault = items.map((item) => shapeFault(itemShape, item)).find(Boolean) ?? itemsFault(items)
  if (fault) throw usageError(`${path}: these items can't be compared: ${fault}`)
  const itemLines = items.map((item) => JSON.stringify(item))
  const header: ComparisonHeader = {
    kind: 'clha comparison',
    version: 1,
    ...(name !== undefined && { name }),
    items: items.length,
    hash: hashOf(itemLines),
  }
  return { header, lines: [JSON.stringify(header), ...itemLines] }
}

const hashOf = (lines: readonly string[]): string => sha256(lines.join('\n'))

function itemsFault(items: readonly ComparisonItem[]): string | undefined {
  const seen = new Set<string>()
  for (const { item, answers } of items) {
    if (seen.has(item)) return `item ${item} stands twice`
    seen.add(item)
    const systems = new Set(answers.map(({ system }) => system))
    if (systems.size < answers.length) return `item ${item} has two answers of one system`
    const wrong = answers.find(({ system, answer, text }) =>
      text === undefined ? answer !== unknownAnswer(item, system) : answer !== answerHash(text),
    )
    if (wrong) return `item ${item}: the hash of ${wrong.system}'s answer is not that of its text`
  }
  return undefined
}

/** @returns what is wrong with a row beside these items */
function rowCheck(items: readonly ComparisonItem[]): (row: VerdictRow) => string | undefined {
  const known = new Map(
    items.map(({ item, prompt, answers }) => [
      item,
      { key: promptKey(prompt), bySystem: new Map(answers.map(({ system, answer }) => [system, answer])) },
    ]),
  )
  return ({ item, prompt, a, b, systems }) => {
    const found = known.get(item)
    if (!found) return `no item ${item} in this comparison`
    if (found.key !== prompt) return `item ${item} has another prompt`
    if (systems[0] === systems[1]) return `${systems[0]} is compared with itself`
    const i = systems.findIndex((system, side) => found.bySystem.get(system) !== [a, b][side])
    return i < 0 ? undefined : `item ${item} has no such answer of ${systems[i]}`
  }
}

function parsed<T>(line: string, shape: Parameters<typeof shapeFault>[0], where: string): T {
  const fault = jsonFault(line)
  if (fault) throw usageError(`${where}: ${fault.message}`, RESTORE)
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    throw usageError(`${where}: not JSON: ${(error as Error).message}`, RESTORE)
  }
  const wrong = shapeFault(shape, value)
  if (wrong) throw usageError(`${where}: ${wrong}`, MAKE)
  return value as T
}

/**
 * Each verdict ends with a checksum of itself and of the checksum before it, so that lines that were edited, moved or
 * taken out are found. It tells of accidents; who wants to deceive can compute it too.
 */
const sealed = (row: string, before: string): string => `${row.slice(0, -1)},"check":"${seal(row, before)}"}`

const seal = (row: string, before: string): string =>
  crc32(Buffer.from(before + row))
    .toString(16)
    .padStart(8, '0')

const SEAL = /,"check":"([0-9a-f]{8})"\}$/

const sealOf = (line: string): string => SEAL.exec(line)?.[1] ?? ''

/** The seal that the next verdict goes on from. */
const lastCheck = (lines: readonly string[], header: ComparisonHeader): string =>
  lines.length > 1 + header.items ? sealOf(lines[lines.length - 1]) : header.hash

function unsealed(line: string, before: string, where: string): string {
  const found = SEAL.exec(line)
  const row = found ? `${line.slice(0, found.index)}}` : line
  if (found && found[1] === seal(row, before)) return row
  const fault = 'this line, or the one before it, is not as it was written'
  throw usageError(`${where}: ${fault}`, RESTORE)
}

type Named = Pick<ComparisonHeader, 'name' | 'items'>

export function otherComparison(path: string, is: Named, wanted: Named) {
  const names = [is.name && ` (${is.name})`, wanted.name && ` (${wanted.name})`]
  return usageError(
    `${path}: holds another comparison${names[0] ?? ''}: ${is.items} items, not the ${wanted.items}${names[1] ?? ''} of this one`,
    'Write to another file, or compare the same prompts and answers again.',
  )
}
