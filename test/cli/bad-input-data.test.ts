/** Data that is not what it should be: named by file and row, with what to do, and nothing written. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { badInputFolder, call, lines, put, refused } from './bad-input-helpers.js'

const files = badInputFolder()

const PAIR = { prompt: 'a question', chosen: 'good', rejected: 'bad', score_chosen: 1, score_rejected: 0 }
const FIXED = ['--label-error', '0.25', '--reward-temperature', '1', '--threads', '1', '--output-dir', '$out']
const rescore = (path: string, ...flags: string[]) => ['rescore', path, ...FIXED, ...flags]

describe('files that cannot be read', () => {
  test('no file', () => refused(files, rescore('none.jsonl'), ['none.jsonl: no such file', 'Check the path']))

  test.each([
    ['empty.jsonl', '', /empty\.jsonl: the file is empty\n.*at least one row/],
    ['blank.jsonl', '\n \n\n', /blank\.jsonl: there are no rows/],
    ['cut.jsonl', `${lines(PAIR)}{"prompt": "a quest`, /cut\.jsonl:2 \(byte \d+\): not JSON/],
    ['utf16.jsonl', Buffer.from('﻿{}', 'utf16le'), /UTF-16 text\n.*UTF-8/],
    ['latin1.jsonl', Buffer.from('{"prompt":"\xe9"}\n', 'latin1'), /latin1\.jsonl:1 .*not UTF-8: byte 11/],
    ['pickle.jsonl', Buffer.from([0x80, 4, 0x95, 0]), /a Python pickle\n.*never opened/],
    ['prefs.csv', 'prompt,chosen\na,b\n', /prefs\.csv:1 \(line 2\): .*columns found: prompt, chosen/],
    ['numbers.jsonl', '1\n', /numbers\.jsonl:1 .*the row is a number, not an object/],
    ['array.json', '[{"prompt":"x"', /array\.json:1 .*not JSON/],
    ['twice.jsonl', '{"prompt":"a","prompt":"b"}\n', /twice\.jsonl:1 .*"prompt" stands twice/],
  ])('%s', async (name, content, message) => {
    await refused(files, rescore(put(files, name, content)), [message])
  })

  test('a folder without data files', async () => {
    mkdirSync(join(files.dir, 'empty-folder'), { recursive: true })
    await refused(files, rescore(join(files.dir, 'empty-folder')), ['no data file in this folder'])
  })
})

describe('rows that cannot be read', () => {
  test.each<[string, object, RegExp]>([
    ['a number for an answer', { ...PAIR, chosen: 3 }, /:1 .*chosen has to be string, is a number/],
    ['a missing column', { prompt: 'q', chosen: 'a' }, /:1 .*nearest is trl_string: rejected .*is missing/],
    [
      'a text for rewards',
      { prompt: 'q', completions: ['a', 'b'], rewards: 'high' },
      /rewards is "high", not a list of numbers/,
    ],
    [
      'too few rewards',
      { prompt: 'q', completions: ['a', 'b'], rewards: [1] },
      /1 numbers for 2 completions/,
    ],
    [
      'an unknown role',
      { chosen: [{ role: 'bot', content: 'x' }], rejected: [{ role: 'bot', content: 'y' }] },
      /role is "bot"/,
    ],
    [
      'an unpaired label',
      { prompt: 'q', completion: 'a', label: true },
      /the row is unpaired: .* pairs, lists or SFT rows are needed/,
    ],
  ])('%s', async (name, row, message) => {
    const path = put(files, `${name}.jsonl`, lines(row, PAIR))
    await refused(files, rescore(path), [message, 'skip_bad'])
  })

  test('are left out and listed when that was asked for', async () => {
    const path = put(
      files,
      'some-bad.jsonl',
      `${lines(PAIR)}{"prompt":\n${lines({ ...PAIR, prompt: 'other' })}`,
    )
    const { code, out, said } = await call(files, rescore(path, '--skip-bad'))
    expect(code).toBe(0)
    expect(said).toContain('1 of 3 rows are left out')
    const [fault] = readFileSync(join(out, 'skipped.jsonl'), 'utf8').trim().split('\n')
    expect(JSON.parse(fault)).toMatchObject({ file: path, row: 2, code: 'bad_json' })
  })
})

describe('rows without anything to learn', () => {
  test.each<[string, object, RegExp]>([
    ['one answer', { prompt: 'q', completions: ['a'] }, /1 answer, at least 2 needed/],
    ['an empty answer', { ...PAIR, rejected: ' ' }, /rejected is empty/],
    ['identical answers', { ...PAIR, rejected: 'good ' }, /answers 1 and 2 are the same text/],
    ['no answers', { prompt: 'q', completions: [] }, /completions has to be strings, is an empty array/],
  ])('%s', async (name, row, message) => {
    await refused(files, rescore(put(files, `${name}.jsonl`, lines(row))), [message, /:1\b/])
  })
})

describe('rewards', () => {
  test('that are nowhere', async () => {
    const { score_chosen: _, score_rejected: __, ...bare } = PAIR
    const path = put(files, 'bare.jsonl', lines(bare))
    await refused(files, rescore(path), ['the data has none', 'reward_model', 'reward_column', 'clha align'])
    const quality = rescore(path, '--reward-column', 'quality')
    await refused(files, quality, [/bare\.jsonl:1: an answer has no reward in quality .*quality_chosen/])
    const some = put(files, 'some-rewards.jsonl', lines(PAIR, bare))
    await refused(files, rescore(some), [
      'some-rewards.jsonl:2: an answer has no reward: so it is in 1 of 2 rows',
    ])
  })

  test('of too few labels are not calibrated', async () => {
    const path = put(files, 'few.jsonl', lines(PAIR))
    const argv = ['rescore', path, '--output-dir', '$out', '--threads', '1']
    await refused(files, argv, ['1 labelled pairs, at least 200 are needed', 'label_error'])
  })

  test('of a list are ranked and trained on without a reward model', async () => {
    const row = (i: number) => ({
      prompt: `question ${i}`,
      completions: ['It is blue.', 'I will not say.', 'No.'],
      rewards: [2, 0, -2],
    })
    const path = put(files, 'lists.jsonl', lines(...Array.from({ length: 8 }, (_, i) => row(i))))
    const rescored = await call(files, rescore(path))
    expect(rescored.complaint).toBe('')
    const argv = [
      'train',
      '--model-name-or-path',
      files.model,
      '--train-dataset',
      join(rescored.out, 'rescored.jsonl'),
    ]
    const { code, out } = await call(files, [
      ...argv,
      '--max-steps',
      '2',
      '--max-length',
      '128',
      '--threads',
      '1',
      '--output-dir',
      '$out',
    ])
    expect(code).toBe(0)
    expect(existsSync(join(out, 'checkpoint-2', 'model.safetensors'))).toBe(true)
  })
})

describe('prompts longer than the context', () => {
  const long = () => put(files, 'long.jsonl', lines({ ...PAIR, prompt: 'word '.repeat(400) }, PAIR))
  const score = (...flags: string[]) => [
    ...['reward', 'score', long(), '--reward-model', files.reward, '--output-file', '$out/scores.jsonl'],
    ...['--max-length', '128', '--threads', '1', '--output-dir', '$out', ...flags],
  ]

  test('lose their beginning, and that is said', async () => {
    const { code, said } = await call(files, score())
    expect(code).toBe(0)
    expect(said).toContain('longer than max_length: 1 of 2 prompts lose their beginning')
  })

  test('are an error with the row when nothing may be cut', () =>
    refused(files, score('--truncation', 'error'), [
      /long\.jsonl:1: the prompt is [\d,]+ tokens too long for max_length 128/,
      'truncation: left',
    ]))
})

describe('prompts for generation', () => {
  const generate = (path: string) => [
    ...['generate', '--model-name-or-path', files.model, '--eval-dataset', path, '--max-new-tokens', '3'],
    ...['--threads', '1', '--output-file', '$out/answers.jsonl'],
  ]

  test('need no answers: texts, messages and dialogues that end with the user', async () => {
    const user = { role: 'user', content: 'hello' }
    const path = put(
      files,
      'prompts.jsonl',
      lines({ prompt: 'text' }, { prompt: [user] }, { messages: [{ role: 'system', content: 's' }, user] }),
    )
    const { code, out } = await call(files, generate(path))
    expect(code).toBe(0)
    const rows = readFileSync(join(out, 'answers.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows.map(({ prompt }) => prompt)).toEqual([
      'text',
      [user],
      [{ role: 'system', content: 's' }, user],
    ])
  })

  test('are not empty', () =>
    refused(files, generate(put(files, 'no-prompt.jsonl', lines({ prompt: ' ' }))), ['the prompt is empty']))

  test('are no preferences: elsewhere the answers are asked for', () =>
    refused(files, rescore(put(files, 'only-prompt.jsonl', lines({ prompt: 'x' }))), [
      /no known format/,
      /is missing/,
    ]))
})
