import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dataConvert } from '../../src/commands/data/convert/data-convert.js'
import { verdictsExport } from '../../src/commands/verdicts/export/verdicts-export.js'
import { verdictsImport } from '../../src/commands/verdicts/import/verdicts-import.js'
import { verdictsShow } from '../../src/commands/verdicts/show/verdicts-show.js'
import { loadConfig } from '../../src/config/load-config.js'
import { readExamples } from '../../src/data/read/read-examples.js'
import type { Message } from '../../src/dialogue.js'
import { createUi } from '../../src/terminal/ui.js'
import { openComparison, readComparison } from '../../src/verdicts/comparison-file.js'
import { preferencesOf } from '../../src/verdicts/exchange/preferences.js'
import { temporaryFolder } from '../helpers/folders.js'
import { Sink } from '../helpers/sink.js'
import { itemOf, rowOf } from './panel.js'

const ui = () => createUi({ stream: new Sink() })

async function imported(name: string, content: string | object[], flags: object = {}) {
  const folder = temporaryFolder()
  const file = join(folder, name)
  const text = typeof content === 'string' ? content : content.map((row) => JSON.stringify(row)).join('\n')
  fs.writeFileSync(file, text)
  const output = join(folder, 'votes.jsonl')
  const result = await verdictsImport([file], { output, ...flags }, ui())
  return { result, comparison: readComparison(output), folder }
}

const CSV = `prompt,system_a,system_b,answer_a,answer_b,winner,rater
2 + 2?,new,old,4,"four, I think",A,ann
2 + 2?,new,old,4,"four, I think",both_bad,bob
3 + 3?,old,new,6,"""6""",tie,ann
`

test('CSV: one item a prompt, the verdicts of each rater, texts with quotes and commas', async () => {
  const { result, comparison } = await imported('votes.csv', CSV)
  expect(result).toMatchObject({ layout: 'pairs', rows: 3, verdicts: 3, items: 2, skipped: 0 })
  expect(comparison.items.map(({ answers }) => answers.map(({ system, text }) => [system, text]))).toEqual([
    [
      ['new', '4'],
      ['old', 'four, I think'],
    ],
    [
      ['old', '6'],
      ['new', '"6"'],
    ],
  ])
  expect(comparison.rows.map(({ rater, verdict, systems }) => [rater, verdict, systems[0]])).toEqual([
    ['ann', 'a', 'new'],
    ['bob', 'both_bad', 'new'],
    ['ann', 'tie', 'old'],
  ])
})

test('a dialogue is not exported as CSV, which would make another prompt of it; a lone question is', () => {
  const turns = ['Hi.', 'Hello?', 'Why?'].map((content, i) => ({
    role: i % 2 === 0 ? 'user' : 'assistant',
    content,
  })) as Message[]
  const asked = (prompt: Message[]) => ({ ...itemOf('one', { new: 'n', old: 'o' }), prompt })
  const exported = (prompt: Message[]) => {
    const folder = temporaryFolder()
    const file = join(folder, 'votes.jsonl')
    const log = openComparison(file, [asked(prompt)], { lock: () => ({ release: () => {} }) })
    log.append(rowOf(asked(prompt), ['new', 'old'], 'a'))
    log.close()
    return (end: string) => verdictsExport(file, { output: join(folder, `out.${end}`) }, ui())
  }
  expect(() => exported(turns)('csv')).toThrow('item one is a dialogue, which has no place in CSV')
  expect(exported(turns)('jsonl').verdicts).toBe(1)
  expect(exported(turns.slice(0, 1))('csv').verdicts).toBe(1)
})

test('a baseline without a verdict that counts is refused by verdicts show', () => {
  const item = itemOf('one', { new: 'n', old: 'o', broken: 'b' })
  const file = join(temporaryFolder(), 'votes.jsonl')
  const log = openComparison(file, [item], { lock: () => ({ release: () => {} }) })
  log.append(rowOf(item, ['new', 'old'], 'a'), rowOf(item, ['new', 'broken'], 'error'))
  log.append(rowOf(item, ['new', 'broken'], 'a', { kind: 'judge', rater: 'j' }))
  log.close()
  const sink = new Sink()
  verdictsShow(file, { baseline: 'broken' }, createUi({ stream: sink }))
  expect(sink.text).toContain('no verdict of people on broken counts: shown against new')
  const none = join(temporaryFolder(), 'votes.jsonl')
  const errors = openComparison(none, [item], { lock: () => ({ release: () => {} }) })
  errors.append(rowOf(item, ['new', 'old'], 'a'), rowOf(item, ['new', 'broken'], 'error'))
  errors.close()
  expect(() => verdictsShow(none, { baseline: 'broken' }, ui())).toThrow('no verdict on it counts')
})

test('a row that is no verdict stops the import, or is left out and counted', async () => {
  const bad = CSV.replace('tie', 'perhaps')
  await expect(imported('votes.csv', bad)).rejects.toThrow('winner is "perhaps": no verdict')
  const { result } = await imported('votes.csv', bad, { skipBad: true })
  expect(result).toMatchObject({ verdicts: 2, skipped: 1 })
})

const turns = (answer: string) => [
  { role: 'user', content: 'Hello' },
  { role: 'assistant', content: answer },
]

test('Chatbot Arena: winners, ties of both kinds, the time, and that the first stood on the left', async () => {
  const battle = (question_id: string, winner: string, tstamp = 1682351591.1322) => ({
    question_id,
    model_a: 'x',
    model_b: 'y',
    winner,
    judge: 'arena_user_1',
    turn: 1,
    tstamp,
    conversation_a: turns('Hi.'),
    conversation_b: turns('Yo.'),
  })
  const { comparison } = await imported('arena.jsonl', [
    battle('q1', 'model_b'),
    battle('q2', 'tie (bothbad)', 1682351591132),
  ])
  expect(comparison.rows.map(({ item, verdict, shown }) => [item, verdict, shown])).toEqual([
    ['q1', 'b', 'ab'],
    ['q2', 'both_bad', 'ab'],
  ])
  // Seconds, and milliseconds as Node writes them.
  for (const { at } of comparison.rows) expect(at).toBe('2023-04-24T15:53:11.132Z')
  expect(comparison.items[0]).toMatchObject({
    prompt: [{ role: 'user', content: 'Hello' }],
    answers: [{ text: 'Hi.' }, { text: 'Yo.' }],
  })
})

test("MT-bench's judge: two games a row with the answers exchanged; errors are errors, texts are unknown", async () => {
  const row = { question_id: 81, model_1: 'x', model_2: 'y', judge: ['gpt-4', 'pair-v2'], turn: 2 }
  const { comparison } = await imported('pair.jsonl', [
    { ...row, g1_winner: 'model_1', g2_winner: 'tie', tstamp: 1687222222 },
    { ...row, question_id: 82, g1_winner: 'error', g2_winner: 'model_2', tstamp: 1687222222 },
  ])
  expect(comparison.rows.map(({ item, systems, verdict }) => [item, systems.join(), verdict])).toEqual([
    ['81/2', 'x,y', 'a'],
    ['81/2', 'y,x', 'tie'],
    ['82/2', 'x,y', 'error'],
    ['82/2', 'y,x', 'a'],
  ])
  expect(comparison.rows[0]).toMatchObject({ rater: 'gpt-4 pair-v2', kind: 'judge' })
  const { examples, faults } = preferencesOf(comparison)
  expect(examples).toEqual([])
  expect(faults.map(({ reason }) => reason)).toEqual([
    'item 81/2: no verdict names a winner',
    'item 82/2: the texts of its answers are not known',
  ])
})

test('verdicts without texts are not exported as dialogues, which would have empty answers', async () => {
  const row = { question_id: 81, model_1: 'x', model_2: 'y', judge: ['gpt-4', 'pair-v2'] }
  const { folder } = await imported('pair.jsonl', [{ ...row, g1_winner: 'model_1', g2_winner: 'tie' }])
  const exported = (layout: string) =>
    verdictsExport(join(folder, 'votes.jsonl'), { output: join(folder, `${layout}.jsonl`), layout }, ui())
  expect(() => exported('arena')).toThrow('item 81: the texts of its answers are not known')
  expect(fs.existsSync(join(folder, 'arena.jsonl'))).toBe(false)
  expect(exported('pairs').verdicts).toBe(2)
})

test('what is exported is imported again with the same verdicts, as CSV, JSON lines and in the layout of Arena', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'votes.jsonl')
  const items = [itemOf('1', { new: 'a, "b"\nc', old: 'd' }), itemOf('2', { new: 'e', old: 'f' })]
  const log = openComparison(path, items, { lock: () => ({ release: () => {} }) })
  log.append(
    rowOf(items[0], ['new', 'old'], 'a', { shown: 'ba' }),
    rowOf(items[1], ['new', 'old'], 'both_bad', { rater: 'bob', kind: 'judge' }),
    rowOf(items[1], ['new', 'old'], 'skip'),
  )
  log.close()
  for (const [name, layout] of [
    ['out.csv', 'pairs'],
    ['out.jsonl', 'pairs'],
    ['arena.jsonl', 'arena'],
  ]) {
    const output = join(folder, name)
    expect(verdictsExport(path, { output, layout }, ui()).verdicts).toBe(2)
    const again = join(folder, `${name}.votes.jsonl`)
    await verdictsImport([output], { output: again }, ui())
    const { rows, items: back } = readComparison(again)
    // The first of the two is the one that stood on the left.
    expect(rows.map(({ systems, verdict, rater, kind }) => [systems[0], verdict, rater, kind])).toEqual([
      ['old', 'b', 'ann', 'person'],
      ['new', 'both_bad', 'bob', 'judge'],
    ])
    expect(back[0].answers.map(({ text }) => text).sort()).toEqual(['a, "b"\nc', 'd'])
  }
  expect(() => verdictsExport(path, { output: path, force: true }, ui())).toThrow('is read and would be')
})

test('votes become preferences: a label a verdict that names a winner, with its rater', () => {
  const items = [itemOf('1', { new: 'n', old: 'o' }), itemOf('2', { new: 'n2', old: 'o2' })]
  const pair = ['new', 'old'] as const
  const rows = [
    rowOf(items[0], pair, 'a'),
    rowOf(items[0], pair, 'b', { rater: 'bob' }),
    rowOf(items[0], pair, 'tie', { rater: 'cy' }),
    rowOf(items[1], pair, 'tie'),
  ]
  const header = { kind: 'clha comparison', version: 1, items: 2, hash: '' } as const
  const { examples, faults } = preferencesOf({ path: 'v.jsonl', header, items, rows, torn: false })
  expect(examples).toHaveLength(1)
  expect(examples[0].votes).toEqual([
    { better: 0, worse: 1, count: 1, annotator: 'ann' },
    { better: 1, worse: 0, count: 1, annotator: 'bob' },
  ])
  expect(examples[0].preferences).toEqual([])
  expect(faults.map(({ code, row }) => [code, row])).toEqual([['no_preference', 3]])
})

test('data convert --from votes: a row a vote with its annotator, read back as that vote; the rest is listed', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'votes.jsonl')
  const items = [itemOf('1', { new: 'n', old: 'o' }), itemOf('2', { new: 'n2', old: 'o2' })]
  const log = openComparison(path, items, { lock: () => ({ release: () => {} }) })
  const pair = ['new', 'old'] as const
  log.append(
    rowOf(items[0], pair, 'a'),
    rowOf(items[0], pair, 'b', { rater: 'bob' }),
    rowOf(items[1], pair, 'tie'),
  )
  log.close()
  const output = join(folder, 'prefs.jsonl')
  const { options } = await loadConfig(undefined, {}, 'data-convert')
  const report = await dataConvert(
    { ...options, data: [path], output, to: 'trl', votes: true, force: false },
    ui(),
  )
  expect(report.dropped).toEqual({ no_preference: 1 })
  const { examples } = await readExamples(output)
  expect(examples.map(({ votes }) => votes?.map(({ annotator }) => annotator))).toEqual([['ann'], ['bob']])
  expect(examples.map(({ candidates }) => candidates[0].text)).toEqual(['n', 'o'])
})

test('data convert of votes that name no winner names the output and the first row, not a file on the way', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'ties.jsonl')
  const item = itemOf('1', { new: 'n', old: 'o' })
  const log = openComparison(path, [item], { lock: () => ({ release: () => {} }) })
  log.append(rowOf(item, ['new', 'old'], 'tie'))
  log.close()
  const output = join(folder, 'prefs.jsonl')
  const { options } = await loadConfig(undefined, {}, 'data-convert')
  const asked = { ...options, data: [path], output, to: 'trl' as const, votes: true, force: false }
  await expect(dataConvert(asked, ui())).rejects.toMatchObject({
    message: `${output}: nothing can be written as trl: ${path}:2: item ${item.item}: no verdict names a winner`,
    hint: expect.stringContaining('No row of the input can be used'),
  })
})
