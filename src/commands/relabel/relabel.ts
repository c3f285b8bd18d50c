/** `clha relabel`: pair by pair on the terminal, each judgement appended to a file. */
import { existsSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { basename, dirname, extname, join } from 'node:path'
import { loadConfig } from '../../config/load-config.js'
import type { Options } from '../../config/options.js'
import { readExamples } from '../../data/read/read-examples.js'
import { leftOutText } from '../../data/read/row-fault.js'
import { sideFile } from '../../data/side-files.js'
import { promptText } from '../../dialogue.js'
import { usageError } from '../../errors.js'
import { type AppendLog, openAppendLog, wholeLines } from '../../files/append-log.js'
import { pairKeys } from '../../rescore/votes.js'
import { resolveData } from '../../session/names/resolve-names.js'
import { shellPath } from '../../show/shell.js'
import { amount, count } from '../../show/units.js'
import { wilson } from '../../statistics/intervals.js'
import { type Keys, openKeys } from '../../terminal/keys.js'
import type { Ui } from '../../terminal/ui.js'
import { numberOf, textOf } from '../own-flags.js'
import { choosePairs, type Look } from './choose-pairs.js'

export interface RelabelCall {
  data: readonly string[]
  pairs: number
  output: string
  annotator: string
  options: Pick<Options, 'seed' | 'datasetFormat' | 'columns' | 'splitter'>
}

export interface RelabelResult {
  file: string
  /** Pairs that were chosen, and judged so far; skipped ones are not among the judged. */
  pairs: number
  judged: number
  skipped: number
}

/** What a command line says. @throws ClhaError (exit 2) */
export async function relabelCall(
  args: readonly string[],
  flags: Record<string, unknown>,
): Promise<RelabelCall> {
  const { seed, datasetFormat, columns, splitter } = flags
  const { options } = await loadConfig(undefined, { seed, datasetFormat, columns, splitter }, 'relabel')
  const [first] = args
  const stem = basename(first).replace(/\.(gz|zst)$/, '')
  const beside = sideFile(join(dirname(first), basename(stem, extname(stem))), 'relabels')
  const annotator = (textOf(flags.annotator) ?? userInfo().username).trim()
  if (annotator === '') throw usageError('--annotator: a name is not empty')
  return {
    data: args,
    pairs: numberOf('--pairs', flags.pairs ?? 100, { least: 1 }),
    output: textOf(flags.output) ?? beside,
    annotator,
    options,
  }
}

/** A choice among two, none of them, or leaving. */
type Said = 'first' | 'second' | 'skip' | 'undo' | 'quit'

const KEYS: Record<string, Said> = {
  '1': 'first',
  '2': 'second',
  s: 'skip',
  u: 'undo',
  q: 'quit',
  // Ctrl-C and Ctrl-D.
  '\x03': 'quit',
  '\x04': 'quit',
}

/**
 * @param keys where keys come from: the terminal, but for tests
 * @throws ClhaError (exit 2) where there is no terminal, or no labelled pair
 */
export async function relabel(call: RelabelCall, ui: Ui, keys?: Keys): Promise<RelabelResult> {
  if (!keys && !process.stdin.isTTY) {
    throw usageError(
      'clha relabel asks on a terminal, and its input is none',
      'run it in a terminal; a file of the same pairs with labels of other people does as well: relabels',
    )
  }
  const { looks, all } = await chosen(call, ui)
  const done = judgedBefore(call)
  const left = looks.filter(({ key }) => !done.has(key))
  ui.station('relabel', `${amount(looks.length, 'pair')} of ${count(all)} · judgements go to ${call.output}`)
  if (done.size > 0) ui.line(`${count(looks.length - left.length)} were judged before`)
  ui.line(
    'Which answer is better?  1, 2 · s skips · u takes the last one back · q leaves, and the same command goes on',
  )
  const log = openAppendLog(call.output)
  const asking = keys ?? openKeys()
  try {
    const { judged, skipped, otherwise } = await askAll(
      { left, total: looks.length, ui, keys: asking },
      (row) => append(log, row, call),
    )
    log.sync()
    const before = [...done.values()].filter((label) => label).length
    sayEnd(ui, call, judged, otherwise)
    return {
      file: call.output,
      pairs: looks.length,
      judged: before + judged,
      skipped: skipped + done.size - before,
    }
  } finally {
    asking.close()
    log.close()
  }
}

async function chosen({ data, pairs, options }: RelabelCall, ui: Ui) {
  const paths: string[] = []
  for (const name of data) paths.push(...(await resolveData(name, { ui }, 'train')).paths)
  const { examples, report } = await readExamples(paths, {
    minCandidates: 2,
    skipBad: true,
    splitter: options.splitter,
    format: options.datasetFormat === 'auto' ? undefined : options.datasetFormat,
    columns: options.columns,
  })
  if (report.faults.length > 0) ui.warn(leftOutText(report.faults, report.rows))
  const found = choosePairs(examples, pairs, options.seed)
  if (found.all === 0)
    throw usageError(
      `${data.join(', ')}: no pair of answers has a label`,
      'clha relabel judges labelled pairs again',
    )
  return found
}

/**
 * Pairs that the annotator saw, and whether each was judged or skipped.
 * @throws ClhaError (exit 2) for a file of anything else: judgements would be written behind it
 */
function judgedBefore({ output, annotator }: RelabelCall): Map<string, boolean> {
  const text = existsSync(output) ? readFileSync(output, 'utf8') : ''
  const { lines, torn } = wholeLines(text)
  const rows = lines.map(judgementOf)
  const at = rows.indexOf(undefined)
  const tail = text.slice(text.lastIndexOf('\n') + 1)
  // A line that a kill cut off begins as all of them do.
  if (at >= 0 || (torn && !tail.startsWith(START.slice(0, tail.length))))
    throw usageError(
      `${output}:${(at < 0 ? lines.length : at) + 1}: no judgement of clha relabel`,
      'Name another file with --output: this one stays as it is.',
    )
  const mine = rows.filter((row) => row !== undefined).filter((row) => row.annotator === annotator)
  return new Map(mine.map(({ key, judged }) => [key, judged]))
}

const START = '{"of":'

function judgementOf(line: string) {
  try {
    const { prompt, completions, ranks, annotator } = JSON.parse(line)
    if (typeof annotator !== 'string') return undefined
    const candidates = [{ text: String(completions[0]) }, { text: String(completions[1]) }]
    const { key } = pairKeys({ prompt, candidates }).of(0, 1)
    return { key, annotator, judged: ranks[0] !== ranks[1] }
  } catch {
    return undefined
  }
}

interface Asked {
  left: readonly Look[]
  total: number
  ui: Ui
  keys: Keys
}

interface Judgement {
  look: Look
  said: 'first' | 'second' | 'skip'
}

/** A judgement is written when the next one is asked for, so that it can be taken back until then. */
async function askAll({ left, total, ui, keys }: Asked, write: (judgement: Judgement) => void) {
  const sum = { judged: 0, skipped: 0, otherwise: 0 }
  let last: Judgement | undefined
  const keep = () => {
    if (!last) return
    write(last)
    if (last.said === 'skip') sum.skipped++
    else {
      sum.judged++
      if ((last.said === 'first') !== (last.look.labelled === 0)) sum.otherwise++
    }
    last = undefined
  }
  for (let at = 0; at < left.length; ) {
    showPair(ui, left[at], total - left.length + at + 1, total)
    const said = await nextSaid(keys)
    if (said === 'quit') break
    if (said === 'undo') {
      if (last) at--
      else ui.line('there is nothing to take back')
      last = undefined
      continue
    }
    keep()
    last = { look: left[at], said }
    at++
  }
  keep()
  return sum
}

async function nextSaid(keys: Keys): Promise<Said> {
  for (;;) {
    const key = await keys.next()
    if (key === undefined) return 'quit'
    const said = KEYS[key.toLowerCase()]
    if (said !== undefined && Object.hasOwn(KEYS, key.toLowerCase())) return said
  }
}

function showPair(ui: Ui, { prompt, answers }: Look, number: number, total: number): void {
  ui.line('')
  ui.station(`${count(number)} of ${count(total)}`)
  ui.line(promptText(prompt))
  for (const [k, answer] of answers.entries()) {
    ui.line('')
    ui.station(`answer ${k + 1}`)
    ui.line(answer.trim())
  }
}

/** A row that any command reads: a list of two with its ranks; equal ranks say nothing. */
function append(log: AppendLog, { look, said }: Judgement, { annotator }: RelabelCall): void {
  const ranks = { first: [1, 2], second: [2, 1], skip: [1, 1] }[said]
  const { id, prompt, answers } = look
  log.append(JSON.stringify({ of: id, prompt, completions: answers, ranks, annotator }))
}

function sayEnd(ui: Ui, { output, data }: RelabelCall, judged: number, otherwise: number): void {
  ui.line('')
  if (judged > 0) {
    const range = wilson(otherwise, judged).map((p) => errorOf(p).toFixed(2))
    ui.line(
      `${count(otherwise)} of ${count(judged)} second looks disagree with the labels; if both err equally often, each is wrong with probability ${errorOf(otherwise / judged).toFixed(2)} (${range.join(' to ')})`,
    )
  }
  const files =
    data.length === 1 ? [shellPath(data[0])] : data.map((path) => `--train-dataset ${shellPath(path)}`)
  ui.line(`next     clha rescore ${files.join(' ')} --relabels ${shellPath(output)}`)
}

/** e of 2e(1 - e) = p: two labels disagree where one of them errs. */
const errorOf = (p: number): number => (1 - Math.sqrt(Math.max(0, 1 - 2 * p))) / 2
