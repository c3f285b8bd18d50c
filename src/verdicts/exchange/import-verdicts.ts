/** Verdicts of other tools into a comparison: every row becomes a verdict, or is counted with the reason why not. */

import { withParsedText } from '../../data/read/json-text.js'
import { listFiles, readPieces } from '../../data/read/read-files.js'
import { type ReadFault, RowFault, structuralFault } from '../../data/read/row-fault.js'
import { parseRowJson } from '../../data/read/strict-row.js'
import { promptKey } from '../../dialogue.js'
import { usageError } from '../../errors.js'
import { sha256 } from '../../files/digest.js'
import { isObject } from '../../files/json.js'
import { answerHash, unknownAnswer } from '../shapes.js'
import type { ComparedAnswer, ComparisonItem, VerdictRow } from '../types.js'
import type { Battle } from './battle.js'
import { LAYOUTS, type Layout } from './layouts.js'

export interface ImportedVerdicts {
  layout: Layout['name']
  items: ComparisonItem[]
  rows: VerdictRow[]
  /** Rows that are no verdict. */
  faults: ReadFault[]
  /** Rows read. */
  read: number
}

/**
 * Reads files of one layout; the first row says which.
 * @param now time of verdicts that have none, ISO 8601
 * @throws ClhaError (exit 2) for rows of no known layout, and where no row is a verdict
 */
export async function importVerdicts(
  paths: readonly string[],
  now: string,
  layoutName?: string,
): Promise<ImportedVerdicts> {
  let layout = LAYOUTS.find(({ name }) => name === layoutName)
  const faults: ReadFault[] = []
  const build = collector(now)
  let read = 0
  for (const file of await listFiles(paths)) {
    for await (const piece of readPieces(file)) {
      read++
      try {
        if ('fault' in piece) throw piece.fault
        const value = 'value' in piece ? piece.value : parseRowJson(piece)
        if (!isObject(value)) throw structuralFault('not_an_object', 'the row is no object')
        const row = withParsedText(value)
        layout ??= layoutOf(row, `${file}:${piece.row}`)
        for (const battle of layout.battles(row)) build.add(battle, `${file}:${piece.row}`)
      } catch (error) {
        if (!(error instanceof RowFault)) throw error
        const { kind, code, message: reason } = error
        faults.push({ file, row: piece.row, kind, code, reason })
      }
    }
  }
  if (!layout || build.rows.length === 0) {
    const why = faults[0] ? `${faults[0].file}:${faults[0].row}: ${faults[0].reason}` : 'there are no rows'
    throw usageError(`${paths.join(', ')}: no verdict can be read: ${why}`, HINT)
  }
  return { layout: layout.name, items: build.items(), rows: build.rows, faults, read }
}

const HINT = `Layouts: ${LAYOUTS.map(({ name, needs }) => `${name} (${needs.join(', ')})`).join('; ')}.`

function layoutOf(row: Record<string, unknown>, where: string): Layout {
  const has = (names: string) => names.split('|').some((name) => row[name] !== undefined && row[name] !== '')
  const found = LAYOUTS.find(({ needs }) => needs.every(has))
  if (found) return found
  throw usageError(`${where}: no known layout (columns: ${Object.keys(row).join(', ')})`, HINT)
}

interface Growing {
  item: Omit<ComparisonItem, 'answers'>
  answers: Map<string, ComparedAnswer>
}

/** Battles on the same question share an item, unless a system gave two different answers. */
function collector(now: string) {
  const items = new Map<string, Growing>()
  const rows: VerdictRow[] = []
  return {
    rows,
    items: (): ComparisonItem[] =>
      [...items.values()].map(({ item, answers }) => ({ ...item, answers: [...answers.values()] })),
    add(battle: Battle, where: string) {
      const prompt = battle.prompt ?? `question ${battle.item}`
      const name = battle.item ?? promptKey(prompt).slice(0, 12)
      if (battle.systems[0] === battle.systems[1])
        throw structuralFault('same_system', `${battle.systems[0]} is compared with itself`)
      const growing = roomFor(items, name, prompt, battle)
      const answers = battle.systems.map((system, i) => {
        const text = battle.texts?.[i]
        const answer = text === undefined ? unknownAnswer(growing.item.item, system) : answerHash(text)
        const known = { system, answer, ...(text !== undefined && { text }) }
        growing.answers.set(system, known)
        return known
      })
      rows.push(rowOf(battle, growing.item, answers, now, where))
    },
  }
}

function roomFor(
  items: Map<string, Growing>,
  name: string,
  prompt: ComparisonItem['prompt'],
  { systems, texts, source }: Battle,
): Growing {
  for (let copy = 1; ; copy++) {
    const item = copy === 1 ? name : `${name}#${copy}`
    const found = items.get(item)
    if (!found) {
      const made = { item: { item, prompt, ...(source !== undefined && { source }) }, answers: new Map() }
      items.set(item, made)
      return made
    }
    const same = (system: string, i: number) => {
      const known = found.answers.get(system)
      return !known || known.text === texts?.[i]
    }
    if (promptKey(found.item.prompt) === promptKey(prompt) && systems.every(same)) return found
  }
}

function rowOf(
  battle: Battle,
  { item, prompt }: Pick<ComparisonItem, 'item' | 'prompt'>,
  [a, b]: readonly ComparedAnswer[],
  now: string,
  where: string,
): VerdictRow {
  const { verdict, rater, kind, systems, grade, milliseconds, cost, comment, gold, at = now } = battle
  return {
    item,
    prompt: promptKey(prompt),
    a: a.answer,
    b: b.answer,
    shown: 'ab',
    verdict,
    ...(grade && { grade }),
    rater,
    kind,
    systems,
    settings: sha256(JSON.stringify(['imported', where.replace(/:\d+$/, '')])),
    ...(milliseconds !== undefined && { milliseconds }),
    ...(cost !== undefined && { cost }),
    ...(comment !== undefined && { comment }),
    ...(gold !== undefined && { gold }),
    at,
  }
}
