import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type RelabelCall, relabel, relabelCall } from '../../src/commands/relabel/relabel.js'
import { readExamples } from '../../src/data/read/read-examples.js'
import { pairVotes } from '../../src/rescore/votes.js'
import { withRelabels } from '../../src/stations/read/relabels.js'
import type { Keys } from '../../src/terminal/keys.js'
import { createUi } from '../../src/terminal/ui.js'
import { Sink } from '../helpers/sink.js'
import { tempFolder } from '../text/tiny-tokenizer.js'

function folderWith(rows: object[]) {
  const data = join(tempFolder('relabel'), 'prefs.jsonl')
  writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return data
}

const pairs = (n: number) =>
  Array.from({ length: n }, (_, i) => ({ prompt: `Q ${i}`, chosen: ` good ${i}`, rejected: ` bad ${i}` }))

const strike = (keys: string[]): Keys => ({ next: async () => keys.shift(), close() {} })

const screen = () => {
  const stream = new Sink()
  return { ui: createUi({ stream, isTty: false, env: {} }), said: () => stream.text }
}

const callOf = (data: string, flags: Record<string, unknown> = {}): Promise<RelabelCall> =>
  relabelCall([data], { annotator: 'ann', ...flags })

const rowsOf = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

test('pairs are chosen at random, once each, and answers stand in either order; the label is not shown', async () => {
  const call = await callOf(folderWith([...pairs(40), pairs(40)[3]]), { pairs: 25 })
  const { ui, said } = screen()
  const result = await relabel(call, ui, strike(Array.from({ length: 25 }, () => '1')))
  expect(result).toMatchObject({ pairs: 25, judged: 25, skipped: 0 })
  const rows = rowsOf(call.output)
  expect(new Set(rows.map(({ prompt }) => prompt)).size).toBe(25)
  const first = rows.filter(({ completions }) => completions[0].includes('good')).length
  expect(first).toBeGreaterThan(5)
  expect(first).toBeLessThan(20)
  expect(said()).not.toMatch(/chosen|rejected/)
  // Always the first answer: a coin's share of disagreements.
  expect(said()).toContain(`${25 - first} of 25 second looks disagree with the labels`)
})

test('what comes next is told with all files that were judged', async () => {
  const files = [folderWith(pairs(3)), folderWith(pairs(5).slice(3))]
  const call = await relabelCall(files, { annotator: 'ann' })
  const { ui, said } = screen()
  await relabel(call, ui, strike(['q']))
  const named = files.map((file) => `--train-dataset ${file}`).join(' ')
  expect(said()).toContain(`clha rescore ${named} --relabels ${call.output}`)
})

test('rows that cannot be read are said, with their places', async () => {
  const call = await callOf(folderWith([...pairs(199), { prompt: 'Q', chosen: ' good', rejected: '' }]))
  const { ui, said } = screen()
  await relabel(call, ui, strike(['q']))
  expect(said()).toContain('1 of 200 rows are left out')
  expect(said()).toContain('prefs.jsonl:200')
})

test('it goes on where it was left; the last judgement can be taken back, a skip says nothing', async () => {
  const call = await callOf(folderWith(pairs(10)), { pairs: 6 })
  const keys = ['1', 'x', '2', 'u', '1', 's', 'u', 'u', 's', 'q']
  const begun = await relabel(call, screen().ui, strike(keys))
  expect(begun).toMatchObject({ judged: 2, skipped: 1 })
  expect(rowsOf(call.output).map(({ ranks }) => ranks)).toEqual([
    [1, 2],
    [1, 2],
    [1, 1],
  ])
  const { ui, said } = screen()
  const ended = await relabel(call, ui, strike(['2', '2', '\x03']))
  expect(said()).toContain('3 were judged before')
  expect(said()).toContain('4 of 6')
  expect(ended).toMatchObject({ judged: 4, skipped: 1 })
  expect(rowsOf(call.output)).toHaveLength(5)
  // Another person begins anew.
  const other = await relabel({ ...call, annotator: 'bob' }, screen().ui, strike(['1', 'q']))
  expect(other.judged).toBe(1)
})

test('what another person skipped is asked, too', async () => {
  const call = await callOf(folderWith(pairs(4)), { pairs: 2 })
  await relabel(call, screen().ui, strike(['s', 's']))
  const other = await relabel({ ...call, annotator: 'bob' }, screen().ui, strike(['1', '2']))
  expect(other).toMatchObject({ judged: 2, skipped: 0 })
})

test.each([
  ['data', '{"prompt":"Q","chosen":"a","rejected":"b"}\n'],
  ['data whose last line does not end', '{"prompt":"Q","chosen":"a","rejected":"b"}'],
  ['anything else', 'notes\n'],
])('a file that holds %s is no file of judgements, and stays as it is', async (_, text) => {
  const output = join(tempFolder('relabel'), 'other.jsonl')
  writeFileSync(output, text)
  const call = await callOf(folderWith(pairs(3)), { output })
  await expect(relabel(call, screen().ui, strike(['1']))).rejects.toThrow('1: no judgement of clha relabel')
  expect(readFileSync(output, 'utf8')).toBe(text)
})

test('without a terminal it is refused, and nothing is written', async () => {
  const call = await callOf(folderWith(pairs(3)))
  await expect(relabel(call, screen().ui)).rejects.toMatchObject({
    message: expect.stringContaining('asks on a terminal'),
    hint: expect.stringContaining('relabels'),
  })
  expect(existsSync(call.output)).toBe(false)
})

test('what was judged becomes votes of the same pairs, whatever order they stand in', async () => {
  const data = folderWith(pairs(8))
  const call = await callOf(data, { pairs: 8 })
  await relabel(call, screen().ui, strike(['1', '1', '1', '1', '1', '1', 's', 's']))
  const { examples } = await readExamples(data)
  const { ui, said } = screen()
  const voted = await withRelabels({ options: { relabels: [call.output] }, ui }, examples)
  const votes = voted.map(pairVotes).map(([pair]) => pair)
  const judged = rowsOf(call.output).filter(({ ranks }) => ranks[0] !== ranks[1])
  const otherwise = judged.filter(({ completions }) => completions[0].includes('bad')).length
  expect(votes.filter(({ up, down }) => up + down === 2)).toHaveLength(6)
  expect(votes.filter(({ up, down }) => up === 1 && down === 1)).toHaveLength(otherwise)
  expect(votes.filter(({ by }) => by?.has('ann'))).toHaveLength(6)
  expect(said()).toContain(`second labels  6 of 6 pairs, ${otherwise} judged otherwise`)
  // The first labels are what they were.
  expect(voted.map(({ preferences }) => preferences)).toEqual(examples.map(({ preferences }) => preferences))
})

test.each([
  ['counts of votes', { completions: [' good 0', ' bad 0'], votes: [3, 1] }],
  ['a list of labels', { answer_a: ' good 0', answer_b: ' bad 0', preference: ['a', 'a', 'b', 'a'] }],
  [
    'rankings',
    {
      completions: [' bad 0', ' good 0'],
      rankings: [
        [2, 1],
        [2, 1],
        [1, 2],
        [2, 1],
      ],
    },
  ],
])('of %s in a second file every vote counts', async (_, said) => {
  const { examples } = await readExamples(folderWith(pairs(2)))
  const relabels = [folderWith([{ prompt: 'Q 0', ...said }, pairs(1)[0]])]
  const { ui, said: shown } = screen()
  const [voted, other] = await withRelabels({ options: { relabels }, ui }, examples)
  expect(shown()).toContain('second labels  5 of 1 pairs, 1 judged otherwise')
  // Its own label, four of five further ones, and the one against them.
  expect(pairVotes(voted)).toMatchObject([{ first: 0, second: 1, up: 5, down: 1 }])
  expect(other).toBe(examples[1])
})

test('of a list each pair counts with its votes, one or several; of a named annotator the last word', async () => {
  const list = { prompt: 'Q', completions: [' a', ' b', ' c'] }
  const { examples } = await readExamples(folderWith([{ ...list, ranks: [1, 2, 3] }]))
  const ann = (...ranks: (number | null)[]) => ({ ...list, ranks, annotator: 'ann' })
  const rankings = [
    [1, 3, 2],
    [1, 2, null],
  ]
  const relabels = [folderWith([ann(1, 2, null), ann(2, 1, null), { ...list, rankings }])]
  const { ui, said } = screen()
  const [voted] = await withRelabels({ options: { relabels }, ui }, examples)
  expect(said()).toContain('second labels  5 of 3 pairs, 2 judged otherwise')
  expect(pairVotes(voted).map(({ up, down }) => [up, down])).toEqual([
    [3, 1],
    [2, 0],
    [1, 1],
  ])
})

test('a file of other pairs is refused; some that are not in the data are told', async () => {
  const { examples } = await readExamples(folderWith(pairs(4)))
  const other = folderWith([{ prompt: 'other', chosen: 'a', rejected: 'b' }])
  const { ui, said } = screen()
  await expect(withRelabels({ options: { relabels: [other] }, ui }, examples)).rejects.toThrow(
    'none of the 1 pairs',
  )
  const mixed = folderWith([pairs(4)[2], { prompt: 'other', chosen: ' a', rejected: ' b' }])
  await withRelabels({ options: { relabels: [mixed] }, ui }, examples)
  expect(said()).toContain('1 of the 2 pairs')
})
