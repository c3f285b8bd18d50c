/** What is compared, from the command line: a comparison that was begun, or one file of answers for each system. */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { fileStem } from '../../data/read/read-files.js'
import { usageError } from '../../errors.js'
import { amount, count } from '../../show/units.js'
import type { Ui } from '../../terminal/ui.js'
import { readComparison } from '../../verdicts/comparison-file.js'
import { answerHash } from '../../verdicts/shapes.js'
import type { ComparisonItem } from '../../verdicts/types.js'
import { goldItems } from './gold-items.js'
import { type AnswerRow, readAnswers } from './read-answers.js'

export interface ComparisonSource {
  /** The file that takes the verdicts. */
  path: string
  items: readonly ComparisonItem[]
}

export interface SourceOptions {
  /** Where a new comparison is begun. */
  output?: string
  /** A file of answers that are known to be good. */
  reference?: string
  /** A file of pairs of which is known which is better. */
  gold?: string
}

interface System {
  name: string
  file: string
  rows: ReadonlyMap<string, AnswerRow>
}

/**
 * @param inputs the file of a comparison, or two or more files of answers; `name=file` gives a system another name than
 *   its file has
 * @throws ClhaError (exit 2) for anything else, and where there is nothing to compare
 */
export async function comparisonSource(
  inputs: readonly string[],
  { output, reference, gold }: SourceOptions,
  ui: Pick<Ui, 'warn'>,
): Promise<ComparisonSource> {
  if (inputs.length === 1 && isComparison(inputs[0])) {
    const [path] = inputs
    if (output !== undefined)
      throw usageError(`--output ${output}: verdicts are added to ${path} itself`, 'leave --output out')
    for (const [flag, value] of Object.entries({ reference, gold }))
      if (value !== undefined)
        throw usageError(`--${flag} ${value}: ${path} has its items already`, 'begin a new comparison')
    return { path, items: readComparison(path).items }
  }
  if (inputs.length < 2)
    throw usageError('nothing to compare', 'name two or more files of answers, or the file of a comparison')
  if (output === undefined)
    throw usageError('--output is missing', 'name the file that takes the verdicts: --output verdicts.jsonl')
  const systems = await systemsOf(inputs, ui)
  const guides = reference === undefined ? undefined : (await readAnswers(reference)).rows
  const items = joined(systems, guides)
  checkItems(systems, items, ui)
  if (guides && !items.some((item) => item.reference !== undefined))
    throw usageError(`--reference ${reference}: has none of the prompts`, 'its prompts have to be the same')
  return { path: output, items: gold === undefined ? items : [...items, ...(await goldItems(gold))] }
}

/** By its first bytes: a file of answers has other ones. */
function isComparison(path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false
  const fd = openSync(path, 'r')
  try {
    const head = Buffer.alloc(64)
    return head.toString('utf8', 0, readSync(fd, head)).startsWith('{"kind":"clha comparison"')
  } finally {
    closeSync(fd)
  }
}

async function systemsOf(inputs: readonly string[], ui: Pick<Ui, 'warn'>): Promise<System[]> {
  const systems: System[] = []
  for (const input of inputs) {
    const [, given, path] = /^([^=/]+)=(.+)$/s.exec(input) ?? []
    const file =
      given !== undefined && statSync(input, { throwIfNoEntry: false }) === undefined ? path : input
    if (!statSync(file, { throwIfNoEntry: false })?.isFile())
      throw usageError(`${file}: no such file`, 'name a file of answers for each system')
    const name = file === input ? fileStem(file) : given
    if (systems.some((system) => system.name === name))
      throw usageError(`two systems are called ${name}`, `give them names: ${name}-2=${file}`)
    const { rows, repeated } = await readAnswers(file)
    if (repeated > 0)
      ui.warn(`${file}: ${amount(repeated, 'row')} said the same as an earlier one and count once`)
    systems.push({ name, file, rows })
  }
  return systems
}

/** All prompts, those of the first file first. An id is the row's own where every row has one, and no two the same. */
function joined(systems: readonly System[], guides?: ReadonlyMap<string, AnswerRow>): ComparisonItem[] {
  const asked = new Map<string, AnswerRow>()
  for (const { rows } of systems) for (const [key, row] of rows) if (!asked.has(key)) asked.set(key, row)
  const ids = [...asked.values()].map(({ id }) => id)
  const ownIds = ids.every((id) => id !== undefined) && new Set(ids).size === ids.length
  return [...asked].map(([key, { prompt, id, source }]) => {
    const reference = guides?.get(key)?.text
    return {
      item: ownIds ? (id as string) : key.slice(0, 16),
      prompt,
      ...(source !== undefined && { source }),
      answers: systems.flatMap(({ name: system, rows }) => {
        const text = rows.get(key)?.text
        return text === undefined ? [] : [{ system, answer: answerHash(text), text }]
      }),
      ...(reference !== undefined && { reference }),
    }
  })
}

/** Says what can't be compared. @throws ClhaError (exit 2) where nothing can */
function checkItems(
  systems: readonly System[],
  items: readonly ComparisonItem[],
  ui: Pick<Ui, 'warn'>,
): void {
  const shared = items.filter(({ answers }) => answers.length > 1)
  if (shared.length === 0)
    throw usageError(
      `no prompt has answers of two systems: ${systems.map(({ file, rows }) => `${file} has ${amount(rows.size, 'prompt')}`).join(', ')}`,
      'the files have to answer the same prompts, written the same way',
    )
  for (const { name, rows } of systems) {
    const missing = items.length - rows.size
    if (missing > 0)
      ui.warn(
        `${name} has no answer to ${count(missing)} of ${count(items.length)} prompts: there it is not compared`,
      )
  }
  if (shared.every(({ answers }) => new Set(answers.map(({ text }) => text)).size === 1))
    throw usageError(
      `${systems.map(({ name }) => name).join(' and ')} gave the same answers to all ${amount(shared.length, 'prompt')}`,
      'there is nothing to compare; check that the files are of different systems',
    )
}
