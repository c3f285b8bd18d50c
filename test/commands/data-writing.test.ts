/** `clha data convert`, `split`, `dedupe`, `sample` and `mix`: what they write, what they leave out, how they end. */
import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readExamples } from '../../src/data/read/read-examples.js'
import { writeTinyTokenizer } from '../text/tiny-tokenizer.js'
import { clha, jsonOf, many, pair, path, prefs, put, refused, rowsOf, turn } from './data-commands.js'

describe('data convert', () => {
  test.each(['hh', 'trl', 'listwise', 'messages'])('to %s reads back to the same rows', async (to) => {
    const output = path(`as-${to}.jsonl.gz`)
    expect((await clha('convert', prefs, '--to', to, '--output', output)).code).toBe(0)
    const { examples } = await readExamples(output, { minCandidates: 1 })
    expect(examples).toHaveLength(60)
    expect(examples[0].prompt).toEqual([turn('user', 'Question 0?')])
    expect(examples[0].candidates[0].text).toBe('Answer 0.')
  })

  test('lists what was dropped, and reports inputs and outputs with their hashes', async () => {
    const { out } = await clha('convert', prefs, '--to', 'trl', '--output', path('trl.parquet'))
    expect(out).toContain('2 of 62 rows are left out: bad_json 1, empty_answer 1')
    expect(rowsOf('trl.parquet.dropped.jsonl')).toMatchObject([
      { file: prefs, row: 41, code: 'bad_json' },
      { file: prefs, row: 42, code: 'empty_answer', reason: 'rejected is empty' },
    ])
    const report = jsonOf('trl.parquet.report.json')
    expect(report).toMatchObject({
      command: 'data convert',
      rows: 62,
      dropped: { bad_json: 1, empty_answer: 1 },
    })
    expect(report.inputs[0].sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(report.outputs[0]).toMatchObject({ rows: 60, examples: 60, format: 'trl' })
    expect((await readExamples(path('trl.parquet'))).examples).toHaveLength(60)
  })

  test('rows that the format has no place for are dropped rows', async () => {
    const mixed = put('half.jsonl', [
      pair('a', 'q', 'x', 'y'),
      { id: 'b', prompt: 'literal', chosen: 'x', rejected: 'y' },
    ])
    await clha('convert', mixed, '--to', 'hh', '--output', path('half-hh.jsonl'))
    expect(rowsOf('half-hh.jsonl')).toHaveLength(1)
    expect(rowsOf('half-hh.jsonl.dropped.jsonl')).toMatchObject([{ row: 2, code: 'not_hh' }])
  })

  test('says where votes of several people become one label; other commands keep them', async () => {
    const row = (i: number) => ({ prompt: `Q ${i}`, completions: ['a', 'b'], votes: [3, i % 3] })
    const data = put('votes.jsonl', [row(1), row(2)])
    const { out } = await clha('convert', data, '--to', 'trl', '--output', path('votes-trl.jsonl'))
    expect(out).toMatch(/of 2 rows with votes of several people it holds the label .*\n.*--to listwise/)
    expect(jsonOf('votes-trl.jsonl.report.json').outputs[0].majorities).toBe(2)
    expect((await clha('mix', data, '--output', path('votes-mixed.jsonl'))).out).not.toContain('votes of')
    expect(rowsOf('votes-mixed.jsonl').map(({ votes }) => votes)).toEqual([
      [3, 1],
      [3, 2],
    ])
  })

  test('refuses a reward column that no row has, and several of them', async () => {
    const scored = put('scored.jsonl', [
      { prompt: 'q', chosen: 'x', rejected: 'y', rm_chosen: 1, rm_rejected: 0 },
    ])
    const argv = ['convert', scored, '--to', 'trl', '--output', path('x.jsonl'), '--reward-column']
    await refused([...argv, 'mr'], /no answer has a reward in mr \(lists\), mr_chosen and mr_rejected/)
    await refused([...argv, 'rm', '--reward-column', 'mr'], 'reward_column names 2 scorers: rm, mr')
  })

  test('HelpSteer has a row an answer, and becomes lists', async () => {
    const rows = ['a', 'b'].map((response, helpfulness) => ({ prompt: 'Q', response, helpfulness }))
    await clha('convert', put('helpsteer.jsonl', rows), '--to', 'trl', '--output', path('helped.jsonl'))
    expect(rowsOf('helped.jsonl')).toMatchObject([{ score_chosen: 1, score_rejected: 0 }])
  })

  test('writes over nothing unless it is told to, and never over what it reads', async () => {
    const argv = ['convert', prefs, '--to', 'trl', '--output', path('once.jsonl')]
    expect((await clha(...argv)).code).toBe(0)
    await refused(argv, /once\.jsonl: is there already\n.*--force/)
    expect((await clha(...argv, '--force')).code).toBe(0)
    await refused(
      ['convert', prefs, '--to', 'trl', '--output', prefs, '--force'],
      'is read and would be written over',
    )
  })

  test('what is read through a folder or a link is not written over either, and no output by another', async () => {
    const folder = path('read')
    fs.mkdirSync(folder)
    const inside = put('read/a.jsonl', many(3))
    const link = path('link.jsonl')
    fs.symlinkSync(inside, link)
    const convert = (data: string, output: string, ...more: string[]) =>
      refused(
        ['convert', data, '--to', 'trl', '--output', output, '--force', ...more],
        /would be written (over|twice)/,
      )
    await convert(folder, inside)
    await convert(link, inside)
    await convert(inside, link)
    await convert(inside, path('kept.jsonl'), '--report', inside)
    await convert(inside, path('kept.jsonl'), '--report', path('kept.jsonl'))
    await convert(inside, path('kept.jsonl'), '--report', path('kept.jsonl.dropped.jsonl'))
    await refused(['lint', folder, '--report', inside, '--force'], 'would be written over')
    await refused(
      ['lint', prefs, '--against', folder, '--report', inside, '--force'],
      'would be written over',
    )
    expect(rowsOf('read/a.jsonl')).toEqual(many(3))
  })

  test.each([
    ['columns', '{"chosen": "a"}'],
    ['reward_column', 'r'],
    ['dataset_format', 'trl_string'],
    ['splitter', 'legacy'],
  ])('refuses %s for votes, which are read in one way', async (key, value) => {
    const argv = ['convert', prefs, '--from', 'votes', '--to', 'trl', '--output', path('x.jsonl')]
    await refused(
      [...argv, `--${key.replace('_', '-')}`, value],
      `--from votes: ${key} says how data is read`,
    )
  })

  test('refuses formats and names that it does not write', async () => {
    await refused(['convert', prefs, '--output', path('x.jsonl')], /needs --to/)
    await refused(
      ['convert', prefs, '--to', 'alpaca', '--output', path('x.jsonl')],
      /alpaca: no such name\n.*trl, hh/,
    )
    await refused(['convert', prefs, '--to', 'trl', '--output', path('x.csv')], /written as \.jsonl/)
    await refused(['convert', prefs, '--to', 'trl'], /--output/)
    const unlabelled = `${path('x.jsonl')}: nothing can be written as kto: ${prefs}:1: no answer has a label`
    await refused(['convert', prefs, '--to', 'kto', '--output', path('x.jsonl')], unlabelled)
    // Before the rows are counted.
    await refused(
      ['sample', prefs, '--count', '99', '--output', path('x.csv')],
      /x\.csv: .*written as \.jsonl/,
    )
  })
})

describe('data split', () => {
  test('keeps every question on one side, whatever its spelling', async () => {
    const rows = many(200).flatMap((row) => [
      row,
      {
        ...row,
        id: `${row.id}-again`,
        prompt: [turn('user', row.prompt[0].content.toUpperCase().replace('?', ' !'))],
      },
    ])
    const data = put('twice.jsonl', rows)
    const { code } = await clha(
      'split',
      data,
      '--output',
      path('splits'),
      '--dev-fraction',
      '0.2',
      '--test-fraction',
      '0.1',
    )
    expect(code).toBe(0)
    const parts = ['train', 'dev', 'test'].map((part) => rowsOf(`splits/${part}.jsonl`))
    expect(parts.flat()).toHaveLength(400)
    const sides = new Map<string, number>()
    parts.forEach((part, side) => {
      for (const { id } of part) {
        const question = id.replace('-again', '')
        expect(sides.get(question) ?? side).toBe(side)
        sides.set(question, side)
      }
    })
    expect(parts[1].length).toBeGreaterThan(50)
    expect(parts[1].length).toBeLessThan(110)
    expect(fs.existsSync(path('splits.dropped.jsonl'))).toBe(false)
    expect(jsonOf('splits.report.json').outputs).toHaveLength(3)
    // The folder of the parts can be read as data: nothing else lies in it.
    expect((await readExamples(path('splits'))).examples).toHaveLength(400)
  })

  test('leaves out a part without a share, and refuses one that stays empty', async () => {
    await clha(
      'split',
      prefs,
      '--output',
      path('two'),
      '--dev-fraction',
      '0',
      '--test-fraction',
      '0.2',
      '--container',
      'parquet',
    )
    expect(fs.readdirSync(path('two'))).toEqual(['test.parquet', 'train.parquet'])
    const one = put('one.jsonl', many(1))
    await refused(['split', one, '--output', path('three')], /no prompt falls into (dev|train|test)/)
    await refused(
      ['split', prefs, '--output', path('x'), '--dev-fraction', '0.6', '--test-fraction', '0.5'],
      /nothing to train on/,
    )
  })
})

describe('data split again', () => {
  const split = (data: string, dev: string, test: string, ...more: string[]) => [
    ...['split', data, '--output', path('again'), '--dev-fraction', dev, '--test-fraction', test, ...more],
  ]

  test('parts of an earlier split do not stay beside new ones, whatever their container', async () => {
    const data = put('again.jsonl', many(60))
    await clha(...split(data, '0.2', '0.2'))
    fs.rmSync(path('again.report.json'))
    await refused(split(data, '0', '0.2', '--container', 'parquet'), /again\/train\.jsonl: is there already/)
    expect(fs.readdirSync(path('again'))).toHaveLength(3)
    const { out } = await clha(...split(data, '0', '0.2', '--seed', '9', '--force'))
    expect(out).toContain(`${path('again/dev.jsonl')}  removed`)
    expect(jsonOf('again.report.json').removed).toEqual([path('again/dev.jsonl')])
    await clha(...split(data, '0.2', '0.2', '--container', 'parquet', '--force'))
    expect(fs.readdirSync(path('again'))).toEqual(['dev.parquet', 'test.parquet', 'train.parquet'])
  })

  test('a part that is read does not go, and none goes where the new split fails', async () => {
    const parts = () => fs.readdirSync(path('again'))
    const before = parts()
    const dev = path('again/dev.parquet')
    await refused(split(dev, '0', '0.2', '--force'), 'dev.parquet: is read and would be written over')
    await refused(split(put('one.jsonl', many(1)), '0', '0.5', '--force'), 'no prompt falls into')
    expect(parts()).toEqual(before)
  })
})

describe('data dedupe', () => {
  const long = 'The sky is blue because the air scatters short waves more than long ones, as Rayleigh found.'
  const data = put('copies.jsonl', [
    pair('1', 'Why is the sky blue?', long, 'Because.'),
    pair('2', 'Why is the sky blue?', long, 'Because.'),
    pair('3', 'Why is the  sky blue', `${long}!`, 'because.'),
    pair('4', 'Why is the sky blue?', 'Because.', long),
    pair('5', 'Why is the sky blue?', 'Something else.', 'Because.'),
  ])

  test('keeps the first, and says of each other one why', async () => {
    const { out } = await clha('dedupe', data, '--output', path('unique.jsonl'), '--similarity', '0.8')
    expect(rowsOf('unique.jsonl').map(({ id }) => id)).toEqual(['1', '4', '5'])
    expect(rowsOf('unique.jsonl.dropped.jsonl')).toEqual([
      {
        file: data,
        row: 2,
        id: '2',
        code: 'duplicate',
        reason: `the same prompt, answers and labels as ${data}:1`,
      },
      {
        file: data,
        row: 3,
        id: '3',
        code: 'near_duplicate',
        reason: expect.stringMatching(/\d\d % similar to .*:1$/),
      },
    ])
    expect(out).toContain('duplicate 1, near_duplicate 1')
  })

  test('of exact copies alone, or of prompts', async () => {
    await clha('dedupe', data, '--output', path('exact.jsonl'), '--exact')
    expect(rowsOf('exact.jsonl').map(({ id }) => id)).toEqual(['1', '3', '4', '5'])
    await clha('dedupe', data, '--output', path('prompts.jsonl'), '--exact', '--by', 'prompt')
    expect(rowsOf('prompts.jsonl').map(({ id }) => id)).toEqual(['1', '3'])
    await refused(
      ['dedupe', data, '--output', path('x.jsonl'), '--exact', '--similarity', '0.9'],
      /no similarity/,
    )
    await refused(['dedupe', data, '--output', path('x.jsonl'), '--by', 'answer'], /row, prompt/)
  })
})

describe('data sample', () => {
  test('takes the same rows whatever their order, and lists the others', async () => {
    const backwards = put('backwards.jsonl', many(40).reverse())
    const forwards = put('forwards.jsonl', many(40))
    await clha('sample', forwards, '--count', '7', '--output', path('a.jsonl'))
    await clha('sample', backwards, '--count', '7', '--output', path('b.jsonl'))
    const ids = (name: string) => rowsOf(name).map(({ id }) => id)
    expect(ids('a.jsonl')).toHaveLength(7)
    expect(ids('b.jsonl').sort()).toEqual(ids('a.jsonl').sort())
    expect(rowsOf('a.jsonl.dropped.jsonl')).toHaveLength(33)
    await clha('sample', forwards, '--count', '7', '--seed', '7', '--output', path('c.jsonl'))
    expect(ids('c.jsonl').sort()).not.toEqual(ids('a.jsonl').sort())
  })

  test('a share keeps its rows when others are added', async () => {
    await clha('sample', put('some.jsonl', many(100)), '--fraction', '0.3', '--output', path('d.jsonl'))
    await clha('sample', put('more.jsonl', many(200)), '--fraction', '0.3', '--output', path('e.jsonl'))
    const [few, all] = ['d.jsonl', 'e.jsonl'].map((name) => rowsOf(name).map(({ id }) => id))
    expect(few.length).toBeGreaterThan(15)
    expect(all.slice(0, few.length)).toEqual(few)
  })

  test('takes the rows that are short enough, and says of the others how long they are', async () => {
    const tokenizer = ['--tokenizer-name-or-path', writeTinyTokenizer()]
    const pair = (prompt: string, chosen: string, rejected: string) => ({
      id: prompt,
      prompt,
      chosen,
      rejected,
    })
    const rows = [pair('the', 'a', 'b'), pair('x'.repeat(40), 'a', 'b'), pair('cat', 'a', 'y'.repeat(30))]
    const data = put('lengths.jsonl', rows)
    const limits = ['--max-prompt-tokens', '20', '--max-answer-tokens', '10', ...tokenizer]
    const { code } = await clha('sample', data, ...limits, '--output', path('short.jsonl'))
    expect(code).toBe(0)
    expect(rowsOf('short.jsonl').map(({ id }) => id)).toEqual(['the'])
    const reasons = rowsOf('short.jsonl.dropped.jsonl').map(({ reason }) => reason)
    expect(reasons[0]).toMatch(/^the prompt has \d+ tokens, 20 are wanted at most$/)
    expect(reasons[1]).toMatch(/^the longest answer has \d+ tokens, 10 are wanted at most$/)
    const one = ['sample', data, '--count', '2', ...limits, '--output', path('two.jsonl')]
    await refused(one, '1 row can be used, 2 are wanted')
  })

  test('refuses what cannot be taken', async () => {
    const sample = ['sample', prefs, '--output', path('x.jsonl')]
    await refused([...sample, '--count', '61'], '60 rows can be used, 61 are wanted')
    await refused(sample, 'Give --count, --fraction, --max-prompt-tokens or --max-answer-tokens')
    await refused([...sample, '--count', '1', '--fraction', '1'], 'either --count or --fraction')
    await refused([...sample, '--fraction', '2'], 'expected a number from 0 to 1')
    await refused([...sample, '--fraction', '0'], /takes none of 60 rows\n.*larger share/)
    await refused([...sample, '--max-prompt-tokens', '9'], 'Give its --tokenizer-name-or-path')
    const tokenizer = ['--tokenizer-name-or-path', writeTinyTokenizer()]
    await refused([...sample, '--count', '1', ...tokenizer], 'none is limited')
  })
})

describe('data mix', () => {
  const a = put('mix-a.jsonl', many(60, 'a'))
  const b = put('mix-b.jsonl', many(10, 'b'))

  test('without weights puts all rows of all files together; a total keeps their sizes', async () => {
    const { out } = await clha('mix', a, b, '--output', path('all.jsonl'))
    expect(out).toMatch(/mix-a\.jsonl +60 +60 +85\.7 %/)
    expect(rowsOf('all.jsonl')).toHaveLength(70)
    await clha('mix', a, b, '--total', '7', '--output', path('seven.jsonl'))
    expect(rowsOf('seven.jsonl').filter(({ source }) => source === 'a')).toHaveLength(6)
    expect(rowsOf('seven.jsonl')).toHaveLength(7)
  })

  test('takes files by weight, and as many rows as there are', async () => {
    const { out } = await clha('mix', a, b, '--weight', `${a}=3`, '--output', path('mix.jsonl'))
    expect(out).toMatch(/mix-a\.jsonl +60 +3 +30 +75\.0 %/)
    const sources = rowsOf('mix.jsonl').map(({ source }) => source)
    expect(sources.filter((source) => source === 'a')).toHaveLength(30)
    expect(sources).toHaveLength(40)
    expect(rowsOf('mix.jsonl.dropped.jsonl')).toHaveLength(30)
    expect(rowsOf('mix.jsonl.dropped.jsonl')[0]).toMatchObject({ code: 'not_mixed_in' })
  })

  test('takes sources of one file, to a total', async () => {
    const argv = ['mix', prefs, '--weight', 'web=3', '--total', '20', '--output', path('mix2.jsonl')]
    expect((await clha(...argv)).code).toBe(0)
    const sources = rowsOf('mix2.jsonl').map(({ source }) => source)
    expect(sources.filter((source) => source === 'web')).toHaveLength(15)
    expect(sources).toHaveLength(20)
  })

  test('refuses weights without rows, and rows that would come twice', async () => {
    const mix = ['mix', a, b, '--output', path('x.jsonl')]
    await refused([...mix, '--weight', 'c=1'], /--weight c: there are no such rows\n.*mix-a\.jsonl/)
    await refused([...mix, '--weight', 'c'], 'expected name=number')
    await refused([...mix, '--weight', `${a}=-1`], 'expected a number of at least 0')
    await refused(
      [...mix, '--weight', `${a}=1`, '--total', '50'],
      /mix-b\.jsonl has 10 rows.*needs 25\b.*\n.*largest total is 20/,
    )
    await refused([...mix, '--weight', `${a}=0`, '--weight', `${b}=0`], 'every weight is 0')
  })
})
