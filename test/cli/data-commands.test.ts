/** The commands of `clha data`: what they write, what they leave out, how they end. */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, describe, expect, test } from 'vitest'
import { main } from '../../src/cli/main.js'
import { readExamples } from '../../src/data/read-examples.js'
import { Sink } from '../helpers/sink.js'
import { writeTinyTokenizer } from '../text/tiny-tokenizer.js'

const dir = fs.mkdtempSync(join(tmpdir(), 'clha-data-'))
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }))

const path = (name: string) => join(dir, name)
const put = (name: string, rows: readonly (object | string)[]) => {
  fs.writeFileSync(path(name), rows.map((r) => `${typeof r === 'string' ? r : JSON.stringify(r)}\n`).join(''))
  return path(name)
}
const rowsOf = (name: string) =>
  fs
    .readFileSync(path(name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
const jsonOf = (name: string) => JSON.parse(fs.readFileSync(path(name), 'utf8'))

/** The last line of `--json`. */
const resultOf = (out: string) => JSON.parse(out.trim().split('\n').at(-1) as string).result

async function clha(...argv: string[]) {
  const stdout = new Sink()
  const stderr = new Sink()
  const code = await main(['data', ...argv], { stdin: Readable.from([]), stdout, stderr, env: {}, exit() {} })
  expect(stderr.text).not.toMatch(/unexpected:/)
  return { code, out: stdout.text, err: stderr.text }
}

/** Nothing but what was there before: no output, no staging folder. */
async function refused(argv: string[], ...texts: (string | RegExp)[]) {
  const before = fs.readdirSync(dir)
  const { code, err } = await clha(...argv)
  expect(code).toBe(2)
  for (const text of texts) expect(err).toMatch(text)
  expect(fs.readdirSync(dir)).toEqual(before)
}

const turn = (role: string, content: string) => ({ role, content })
const pair = (id: string, question: string, chosen: string, rejected: string, source = 'own') => ({
  ...{ id, source, prompt: [turn('user', question)] },
  ...{ chosen: [turn('assistant', chosen)], rejected: [turn('assistant', rejected)] },
})
const many = (n: number, source = 'own') =>
  Array.from({ length: n }, (_, i) => pair(`${source}-${i}`, `Question ${i}?`, `Answer ${i}.`, 'No.', source))

const prefs = put('prefs.jsonl', [
  ...many(40),
  '{"prompt":',
  pair('empty', 'Anyone?', 'Yes.', ' '),
  ...many(20, 'web').map((row) => ({ ...row, prompt: [turn('user', `${row.id}?`)] })),
])

describe('data inspect', () => {
  test('accounts for every row', async () => {
    const { code, out } = await clha('inspect', prefs, '--examples', '1', '--bad')
    expect(code).toBe(0)
    expect(out).toMatch(/62 rows .* trl_conversational/)
    expect(out).toContain('sources  own 66.7 %, web 33.3 %')
    expect(out).toContain("2 of 62 rows can't be used")
    expect(out).toMatch(/bad_json .*prefs\.jsonl:41/)
    expect(out).toMatch(/empty_answer .*row 42/)
    expect(out).toMatch(/→ better +Answer/)
    expect(out).toContain('60 preferences in 60 rows')
  })

  test('counts tokens with a tokenizer, and gives all of it as JSON', async () => {
    const tokenizer = writeTinyTokenizer({ config: { eos_token: '<|endoftext|>' } })
    const { out, err } = await clha('inspect', prefs, '--tokenizer-name-or-path', tokenizer, '--json')
    const result = resultOf(out)
    // "\n\nHuman: web-0?\n\nAssistant:", then " No." with the end token; a token is a byte here.
    expect(result.lengths['tokens/prompt']).toMatchObject({ count: 60, min: 27 })
    expect(result.lengths['tokens/answer']).toMatchObject({ count: 120, min: 5 })
    expect(result).toMatchObject({ rows: 62, kept: 60, distinct_prompts: 60, template: 'hh' })
    expect(result.skipped.bad_json.first[0]).toMatchObject({ row: 41, kind: 'structural' })
    expect(err).toContain('tokens of ')
  })

  test('reads lists, labels and single answers', async () => {
    const mixed = put('mixed.jsonl', [
      { prompt: 'q', completions: ['a', 'b', 'c'], rewards: [1, 2, 3] },
      { prompt: 'q', completion: 'x', label: true },
      { messages: [turn('user', 'q'), turn('assistant', 'a')] },
    ])
    const { out } = await clha('inspect', mixed, '--json')
    expect(resultOf(out)).toMatchObject({
      formats: { listwise: 1, kto: 1, messages: 1 },
      answers_per_row: { 1: 2, 3: 1 },
      rewards: { answers: 3 },
      preferences: { desirable: 1 },
    })
  })

  test('refuses what it cannot read, by name', async () => {
    await refused(['inspect', path('none.jsonl')], 'none.jsonl: no such file')
    await refused(['inspect'], /missing required argument/)
    await refused(
      ['inspect', prefs, '--exampels', '3'],
      'unknown option "--exampels". Did you mean "--examples"?',
    )
    await refused(
      ['inspect', prefs, '--examples', 'x'],
      '--examples x: expected a whole number from 0 to 100',
    )
    await refused(['inspect', prefs, '--learning-rate', '1'], 'does not use --learning-rate')
    await refused(['inspect', prefs, '--dataset-format', 'hhh'], /dataset-format/)
    await refused(['inspect', prefs, '--tokenizer-name-or-path', dir], /tokenizer\.json/)
    const bad = put('all-bad.jsonl', [{ a: 1 }])
    await refused(['inspect', bad], /all-bad\.jsonl:1 .*no known format/)
  })
})

describe('data lint', () => {
  const both = put('both.jsonl', [pair('1', 'Sky?', 'Blue.', 'Green.'), pair('2', 'Sky?', 'Green.', 'Blue.')])

  test('ends with 8 where an error is found, and names the rows', async () => {
    const { code, out } = await clha('lint', both)
    expect(code).toBe(8)
    expect(out).toMatch(/error +contradictory_labels +1/)
    expect(out).toMatch(
      /both\.jsonl:2 {2}answer 1 over answer 2 is labelled the other way at .*both\.jsonl:1/,
    )
    expect((await clha('lint', both, '--fail-on', 'none')).code).toBe(0)
  })

  test('fails on the severity that was asked for, and on worse ones', async () => {
    const warned = put('warned.jsonl', [pair('1', 'Sky?', 'Blue.\ufffd', 'Green.')])
    expect((await clha('lint', warned)).code).toBe(0)
    expect((await clha('lint', warned, '--fail-on', 'warning')).code).toBe(8)
    expect((await clha('lint', warned, '--fail-on', 'note')).code).toBe(8)
    expect((await clha('lint', put('clean.jsonl', many(1)), '--fail-on', 'note')).out).toContain(
      'nothing found',
    )
  })

  test('gives every finding as a line of JSON, and a report', async () => {
    const { out } = await clha('lint', both, '--json', '--report', path('lint.json'))
    const [found, last] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter((line) => 'finding' in line || 'result' in line)
    expect(found.finding).toMatchObject({
      code: 'contradictory_labels',
      severity: 'error',
      file: both,
      row: 2,
    })
    expect(last.result).toMatchObject({
      rows: 2,
      severities: { error: 1, warning: 0, note: 0 },
      exit_code: 8,
    })
    expect(jsonOf('lint.json').rules[0].first[0]).toMatchObject({ file: both, row: 2 })
    await refused(['lint', both, '--report', path('lint.json')], /lint\.json: is there already\n.*--force/)
  })

  test('compares prompts with other data', async () => {
    const test = put('test.jsonl', [pair('t', 'the SKY', 'Red.', 'Grey.')])
    const { code, out } = await clha('lint', both, '--against', test)
    expect(code).toBe(8)
    expect(out).not.toContain('prompt_in_both')
    const leak = put('leak.jsonl', [pair('t', 'sky', 'Red.', 'Grey.')])
    expect((await clha('lint', both, '--against', test, '--against', leak)).out).toMatch(/prompt_in_both +2/)
    await refused(['lint', both, '--fail-on', 'warnings'], /no such name\n.*error, warning, note, none/)
    await refused(['lint', both, '--similarity', '0.2'], 'expected a number from 0.7 to 1')
  })
})

describe('data show', () => {
  const tokenizer = writeTinyTokenizer({ config: { eos_token: '<|endoftext|>' } })
  const show = (...argv: string[]) => clha('show', prefs, '--tokenizer-name-or-path', tokenizer, ...argv)

  test('marks by brackets what is trained on', async () => {
    const { code, out } = await show('--row', '2')
    expect(code).toBe(0)
    expect(out).toContain('(H)(u)(m)(a)(n)(:)(·)(Q)')
    expect(out).toContain(
      'answer 2 (worse)  5 tokens, 5 trained on, with end token\n[·][N][o][.]<<|endoftext|>>',
    )
    expect(out).not.toContain('\x1b')
  })

  test('finds a row by its id, and gives tokens as JSON', async () => {
    const { out } = await show('--id', 'web-3', '--json')
    const result = resultOf(out)
    expect(result.example).toMatchObject({ id: 'web-3', row: 46 })
    expect(result.view.answers[1].pieces.at(-1)).toMatchObject({ role: 'end', text: '<|endoftext|>' })
  })

  test('says why a row cannot be seen', async () => {
    const flags = ['show', prefs, '--tokenizer-name-or-path', tokenizer]
    await refused([...flags, '--row', '42'], /can't be used: .*prefs\.jsonl:42.*empty/)
    await refused([...flags, '--row', '900'], /there is no row 900\n.*62 rows/)
    await refused([...flags, '--id', 'nobody'], 'there is no row with the id "nobody"')
    await refused(['show', prefs], /needs a tokenizer\b.*\n.*--tokenizer-name-or-path/)
  })
})

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

  test('refuses formats and names that it does not write', async () => {
    await refused(['convert', prefs, '--output', path('x.jsonl')], /needs --to/)
    await refused(
      ['convert', prefs, '--to', 'alpaca', '--output', path('x.jsonl')],
      /alpaca: no such name\n.*trl, hh/,
    )
    await refused(['convert', prefs, '--to', 'trl', '--output', path('x.csv')], /written as \.jsonl/)
    await refused(['convert', prefs, '--to', 'trl'], /--output/)
    await refused(['convert', prefs, '--to', 'kto', '--output', path('x.jsonl')], /label/)
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

  test('refuses what cannot be taken', async () => {
    const sample = ['sample', prefs, '--output', path('x.jsonl')]
    await refused([...sample, '--count', '61'], '60 rows can be used, 61 are wanted')
    await refused(sample, 'either --count or --fraction')
    await refused([...sample, '--count', '1', '--fraction', '1'], 'either --count or --fraction')
    await refused([...sample, '--fraction', '2'], 'expected a number from 0 to 1')
    await refused([...sample, '--fraction', '0'], /no example|nothing/i)
  })
})

describe('data mix', () => {
  const a = put('mix-a.jsonl', many(60, 'a'))
  const b = put('mix-b.jsonl', many(10, 'b'))

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
    await refused([...mix, '--total', '50'], /mix-b\.jsonl has 10 rows.*needs 25\b.*\n.*largest total is 20/)
    await refused([...mix, '--weight', `${a}=0`, '--weight', `${b}=0`], 'every weight is 0')
  })
})
