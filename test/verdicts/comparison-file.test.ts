import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { promptKey } from '../../src/dialogue.js'
import { openComparison, readComparison } from '../../src/verdicts/comparison-file.js'
import { answerHash } from '../../src/verdicts/shapes.js'
import type { ComparisonItem, VerdictRow } from '../../src/verdicts/types.js'
import { temporaryFolder } from '../helpers/folders.js'

const free = () => ({ release: () => {} })
const item = (name: string): ComparisonItem => ({
  item: name,
  prompt: `Question ${name}?`,
  answers: ['one', 'two'].map((system) => ({
    system,
    answer: answerHash(`${system} of ${name}`),
    text: `${system} of ${name}`,
  })),
})
const items = ['1', '2'].map(item)
const row = (of: ComparisonItem, verdict: VerdictRow['verdict'], rater = 'ann'): VerdictRow => ({
  item: of.item,
  prompt: promptKey(of.prompt),
  a: of.answers[0].answer,
  b: of.answers[1].answer,
  shown: 'ab',
  verdict,
  rater,
  kind: 'person',
  systems: ['one', 'two'],
  settings: answerHash('page 1'),
  at: '2026-01-02T03:04:05.000Z',
})

/** A file with two verdicts. */
function written(): string {
  const path = join(temporaryFolder(), 'votes.jsonl')
  const log = openComparison(path, items, { name: 'one or two', lock: free })
  log.append(row(items[0], 'a'))
  log.append(row(items[1], 'tie'))
  log.close()
  return path
}

const edit = (path: string, change: (lines: string[]) => string[]) =>
  fs.writeFileSync(path, change(fs.readFileSync(path, 'utf8').split('\n')).join('\n'))

test('what was appended is read back, and a later process goes on where the last one ended', () => {
  const path = written()
  const log = openComparison(path, items, { lock: free })
  expect(log.comparison.rows.map(({ verdict }) => verdict)).toEqual(['a', 'tie'])
  log.append(row(items[1], 'b', 'bob'), row(items[0], 'both_bad', 'bob'))
  log.close()
  const { header, rows, torn } = readComparison(path)
  expect(header).toMatchObject({ name: 'one or two', items: 2 })
  expect(rows).toEqual([
    row(items[0], 'a'),
    row(items[1], 'tie'),
    row(items[1], 'b', 'bob'),
    row(items[0], 'both_bad', 'bob'),
  ])
  expect(torn).toBe(false)
})

test('a last line that a kill cut is left out, said, and replaced by the next verdict', () => {
  const path = written()
  fs.truncateSync(path, fs.statSync(path).size - 20)
  expect(readComparison(path)).toMatchObject({ torn: true, rows: [{ verdict: 'a' }] })
  const log = openComparison(path, items, { lock: free })
  log.append(row(items[1], 'b'))
  log.close()
  expect(readComparison(path)).toMatchObject({ torn: false, rows: [{ verdict: 'a' }, { verdict: 'b' }] })
})

test('a verdict that was edited, moved or taken out is found, and the line is named', () => {
  const changes: [change: (lines: string[]) => string[], line: number][] = [
    [(lines) => lines.map((line) => line.replace('"verdict":"a"', '"verdict":"b"')), 4],
    [([head, one, two, , ...rest]) => [head, one, two, ...rest], 4],
    [([head, one, two, first, second, ...rest]) => [head, one, two, second, first, ...rest], 4],
    [(lines) => lines.map((line) => line.replace('"verdict":"tie"', '"verdict":"tie" ')), 5],
  ]
  for (const [change, line] of changes) {
    const path = written()
    edit(path, change)
    expect(() => readComparison(path)).toThrow(`${path}:${line}: this line, or the one before it, is not as`)
  }
})

test('items that were edited or cut are found', () => {
  const path = written()
  edit(path, (lines) => lines.map((line) => line.replace('Question 2?', 'Question 3?')))
  expect(() => readComparison(path)).toThrow('prompts or answers were changed')
  edit(path, (lines) => lines.slice(0, 2).concat(''))
  expect(() => readComparison(path)).toThrow('names 2 items and holds 1')
})

test('a file of another comparison is refused, and so is a row of another item, prompt, answer or system', () => {
  const path = written()
  expect(() => openComparison(path, [item('1'), item('3')], { name: 'other', lock: free })).toThrow(
    'holds another comparison (one or two): 2 items, not the 2 (other) of this one',
  )
  const log = openComparison(path, items, { lock: free })
  const right = row(items[0], 'a')
  const wrong: [Partial<VerdictRow>, string][] = [
    [{ item: '7' }, 'no item 7'],
    [{ prompt: answerHash('x') }, 'another prompt'],
    [{ b: answerHash('x') }, 'no such answer of two'],
    [{ systems: ['one', 'one'] }, 'compared with itself'],
    [{ systems: ['one', 'three'] }, 'no such answer of three'],
    [{ verdict: 'c' as 'a' }, 'verdict: '],
    [{ at: 'yesterday' }, 'at: '],
  ]
  for (const [change, message] of wrong) expect(() => log.append({ ...right, ...change })).toThrow(message)
  log.close()
  expect(readComparison(path).rows).toHaveLength(2)
})

test('items that can not be told apart, and answers under another hash, make no comparison', () => {
  const path = join(temporaryFolder(), 'votes.jsonl')
  const open = (given: ComparisonItem[]) => () => openComparison(path, given, { lock: free })
  expect(open([item('1'), item('1')])).toThrow('item 1 stands twice')
  const [one] = item('1').answers
  expect(open([{ ...item('1'), answers: [one, one] }])).toThrow('two answers of one system')
  expect(open([{ ...item('1'), answers: [{ ...one, text: 'else' }] }])).toThrow('is not that of its text')
  expect(fs.existsSync(path)).toBe(false)
})

test('while one process holds the file another one is refused with exit 3', () => {
  expect(() => openComparison(written(), items, { lock: () => undefined })).toThrow(
    expect.objectContaining({ exitCode: 3 }),
  )
})
