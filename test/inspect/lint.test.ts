import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Candidate, Example } from '../../src/data/example.js'
import { RULES } from '../../src/inspect/findings.js'
import { createLabelLengths } from '../../src/inspect/length-bias.js'
import { createLint } from '../../src/inspect/lint.js'
import { calling, pair, user } from './rows.js'

const codes = (...examples: Example[]) => {
  const lint = createLint()
  return examples.map((example) => lint.check(example).map(({ code }) => code))
}

const ask = user('Which colour has the sky?')

describe('rules on one row', () => {
  test('a clean row has no findings', () => {
    expect(codes(pair(ask, 'It is blue.', 'I will not say.'))).toEqual([[]])
  })

  test.each<[string, Example, string]>([
    [
      'nearly the same',
      pair(ask, `${'The sky is blue. '.repeat(3)}By day!`, `${'The sky is blue. '.repeat(3)}By day?`),
      'near_identical_answers',
    ],
    [
      'chosen inside rejected',
      pair(ask, 'it is blue', 'Well, it is blue at noon, and red later on.'),
      'chosen_in_rejected',
    ],
    [
      'rejected inside chosen',
      pair(ask, 'Well, it is blue at noon, and red later on.', 'it is blue'),
      'rejected_in_chosen',
    ],
    ['leaked question', pair(ask, 'Which colour has the sky? Blue.', 'No.'), 'prompt_in_answer'],
    ['role line', pair(ask, 'Blue.\n\nHuman: thanks', 'No.'), 'role_marker'],
    ['template in an answer', pair(ask, 'Blue.<|im_end|>', 'No.'), 'template_remnant'],
    ['template in a turn', pair(user('[INST] sky? [/INST]'), 'Blue.', 'No.'), 'template_remnant'],
    ['broken decoding', pair(ask, 'Bl\ufffde.', 'No.'), 'broken_characters'],
    ['a control character', pair(ask, 'Blue\u0007.', 'No.'), 'control_characters'],
    ['turned direction', pair(ask, 'Blue\u202e.', 'No.'), 'bidi_controls'],
  ])('%s', (_, example, code) => {
    expect(codes(example)).toEqual([[code]])
  })

  test('short parts, and markers of a prompt that is rendered already, are none', () => {
    expect(codes(pair(ask, 'No.', 'No. Never ask again.'))).toEqual([[]])
    expect(codes(pair('<|im_start|>user\nsky?<|im_end|>', 'Blue.', 'No.'))).toEqual([[]])
    expect(codes(pair('\n\nHuman: sky?\n\nAssistant:', ' Blue.\tYes\r\n', ' No.'))).toEqual([[]])
  })

  test('a finding says where it is', () => {
    const example = pair(
      [...(ask as []), { role: 'assistant', content: 'a\ufffd' }, { role: 'user', content: 'b' }],
      'c',
      'd',
    )
    const [found] = createLint().check(example)
    expect(found).toEqual({
      code: 'broken_characters',
      severity: 'warning',
      file: 'test.jsonl',
      row: example.row,
      message: 'turn 2 (assistant): U+FFFD at character 2',
    })
  })
})

describe('rules on many rows', () => {
  test('the same pair labelled both ways names both rows, and the same label twice is a copy', () => {
    const lint = createLint()
    const first = pair(ask, 'blue', 'green')
    expect(lint.check(first)).toEqual([])
    const [reversed] = lint.check(pair(ask, 'green', 'blue'))
    expect(reversed).toMatchObject({ code: 'contradictory_labels', severity: 'error' })
    expect(reversed.message).toContain(`test.jsonl:${first.row}`)
    const [copy] = lint.check(pair(ask, 'blue', 'green'))
    expect(copy.code).toBe('duplicate_row')
    expect(lint.check(pair(user('another?'), 'green', 'blue'))).toEqual([])
  })

  test('people who are named may differ, and agree; one who says both contradicts himself', () => {
    const row = (annotator: string, better: string, worse: string) =>
      pair(ask, better, worse, { votes: [{ better: 0, worse: 1, count: 1, annotator }] })
    const said = [row('ann', 'blue', 'green'), row('bob', 'blue', 'green'), row('cy', 'green', 'blue')]
    expect(codes(...said, row('bob', 'green', 'blue'))).toEqual([[], [], [], ['contradictory_labels']])
  })

  test('an answer that is wanted here and not there contradicts itself', () => {
    const row = (desirable: boolean) =>
      pair(ask, '', '', { candidates: [{ text: 'blue', desirable }], preferences: [] })
    expect(codes(row(true), row(false))).toEqual([[], ['contradictory_labels']])
  })

  test('answers that call other tools are other answers', () => {
    const row = (...candidates: Candidate[]) => pair(ask, '', '', { candidates })
    const [rome, oslo, none] = [calling('w', 'Rome'), calling('w', 'Oslo'), { text: 'Dunno.' }]
    expect(codes(row(rome, none), row(none, oslo), row(rome, oslo), row(oslo, rome))).toEqual([
      [],
      [],
      [],
      ['contradictory_labels'],
    ])
  })

  test('prompts of other data are found, exact but for signs and case, and nearly equal ones', () => {
    const lint = createLint({ similarity: 0.8 })
    const long = 'Tell me which colour the sky has on a bright day in early summer'
    lint.remember(pair(ask, 'a', 'b', { file: 'other.jsonl', row: 7 }))
    lint.remember(pair(user(long), 'a', 'b', { file: 'other.jsonl', row: 8 }))
    let calls = 0
    const of = (content: string) => lint.check(pair(user(content), `x ${calls++}`, 'y'))
    expect(of('which colour has the sky')).toMatchObject([
      { code: 'prompt_in_both', message: 'the prompt is that of other.jsonl:7' },
    ])
    expect(of(`${long}!!`.replace('bright', 'brighter'))).toMatchObject([{ code: 'near_prompt_in_both' }])
    expect(of('Something else altogether')).toEqual([])
    expect(of('Something else altogether')).toEqual([]) // a copy within the data is no leak
  })

  test('rows that cannot be read are findings too, and all are counted', () => {
    const lint = createLint()
    const fault = { file: 'a.jsonl', row: 3, code: 'bad_json', reason: 'not JSON' }
    expect(lint.fault({ ...fault, kind: 'structural' })).toMatchObject({
      code: 'unreadable',
      severity: 'error',
      row: 3,
    })
    expect(lint.fault({ ...fault, kind: 'content' })).toMatchObject({ code: 'unusable' })
    expect(lint.counts.get('unreadable')?.count).toBe(1)
  })
})

describe('length bias', () => {
  test('is the share, its interval and the effect, by hand', () => {
    const bias = createLabelLengths()
    // Better 2, 4; worse 1, 1: means 3 and 1, variances 2 and 0, pooled deviation 1.
    bias.add(pair(ask, 'ab', 'a'))
    bias.add(pair(ask, 'abc😀', 'b'))
    const found = bias.result()
    expect(found).toMatchObject({ pairs: 2, betterIsLonger: 1, effect: 2, difference: 2 })
    expect(found?.interval[1]).toBe(1)
    expect(found?.interval[0]).toBeCloseTo(2 / (2 + 1.959964 ** 2), 6)
  })

  test('of lists counts pairs that go the same way for less, by hand', () => {
    const bias = createLabelLengths()
    const ranked = (...texts: string[]) =>
      pair(ask, '', '', {
        candidates: texts.map((text) => ({ text })),
        preferences: [0, 0, 1].map((better, i) => ({ better, worse: [1, 2, 2][i] })),
      })
    bias.add(ranked('abc', 'ab', 'a'))
    bias.add(ranked('a', 'ab', 'abc'))
    const found = bias.result()
    expect(found).toMatchObject({ pairs: 6, betterIsLonger: 0.5 })
    // 3 and 0 of 3: variance 4.5, of six pairs apart 1.5. So they tell as much as two.
    expect(found?.interval[0]).toBeCloseTo(0.094531, 5)
    expect(found?.interval[1]).toBeCloseTo(0.905469, 5)
  })

  test('is found where longer answers win, told as slight where they hardly do, and not by chance', () => {
    const found = (longer: number, of: number) => {
      const lint = createLint()
      for (let i = 0; i < of; i++)
        lint.check(
          i < longer
            ? pair(user(`q${i}`), `long answer ${i}`, `${i}`)
            : pair(user(`q${i}`), `${i}`, `long answer ${i}`),
        )
      return lint.finish()
    }
    expect(found(90, 100)).toMatchObject([{ code: 'length_bias', severity: 'warning' }])
    expect(found(10, 100)[0].message).toContain('the shorter one in 90.0 % (')
    expect(found(560, 1000)).toMatchObject([{ code: 'slight_length_bias', severity: 'note' }])
    expect(found(52, 100)).toEqual([])
    expect(createLint().finish()).toEqual([])
  })
})

test('every rule has a row in docs/data-tools.md', () => {
  const page = readFileSync(new URL('../../docs/data-tools.md', import.meta.url), 'utf8')
  for (const [code, { severity, meaning }] of Object.entries(RULES))
    expect(page).toContain(`| ${severity} | \`${code}\` | ${meaning} |`)
})
