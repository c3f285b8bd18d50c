/** `clha data inspect`, `lint` and `show`: what they find, what they say, how they end. */
import { describe, expect, test } from 'vitest'
import { writeTinyTokenizer } from '../text/tiny-tokenizer.js'
import { clha, dir, jsonOf, many, pair, path, prefs, put, refused, resultOf, turn } from './data-commands.js'

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
    await refused(['inspect', prefs, '--chat-template', path('none.jinja')], 'and none is named')
    const bad = put('all-bad.jsonl', [{ a: 1 }])
    await refused(['inspect', bad], /all-bad\.jsonl:1 .*no known format/)
  })
})

describe('data lint', () => {
  test('data in which no row can be used have findings, row by row, like any other', async () => {
    const none = put('none.jsonl', ['{"prompt":', { question: 'Q', best: 'A' }, pair('a', 'Q?', 'A.', ' A.')])
    const { code, out } = await clha('lint', none, '--json')
    expect(code).toBe(8)
    expect(out).toMatch(/"code":"unreadable".*"row":1\D/)
    expect(out).toMatch(/"code":"unreadable".*"row":2\D/)
    expect(out).toMatch(/"code":"unusable".*"row":3\D/)
    expect((await clha('inspect', none)).code).toBe(2)
  })

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
    const low = ['--similarity', '0.2']
    await refused(['lint', both, '--against', test, ...low], 'expected a number from 0.7 to 1')
    await refused(['lint', both, '--similarity', '0.8'], /compares prompts with other data\n.*--against/)
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
    await refused([...flags, '--row', '2', '--id', 'web-3'], 'Give either --row or --id')
    await refused([...flags, '--id', 'nobody'], 'there is no row with the id "nobody"')
    await refused(['show', prefs], /needs a tokenizer\b.*\n.*--tokenizer-name-or-path/)
  })
})
