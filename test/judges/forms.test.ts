import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fenceWith, markOf, withoutTokens } from '../../src/grading/fence.js'
import { formOf, TEMPLATES } from '../../src/judges/forms.js'
import { bodyOf } from '../../src/judges/judge-endpoint.js'
import { chatFields } from '../../src/serve/request-fields.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'

const fence = fenceWith('m4rk')
const PAIR = { prompt: [{ role: 'user', content: 'Why?' }] as const, answers: ['Because.', 'Dunno.'] }
const said = (template: string, reply: string, mode: 'pairwise' | 'single' = 'pairwise') =>
  formOf(template, mode).read(reply)

test('every template shows the request and both answers between marked lines', () => {
  for (const template of TEMPLATES) {
    const [{ role }, { content }] = formOf(template, 'pairwise').messages(PAIR, fence)
    expect(role).toBe('system')
    for (const text of ['Why?', 'Because.', 'Dunno.'])
      expect(content).toMatch(new RegExp(`m4rk ---\n${text.replace('?', '\\?')}\n--- end of .* m4rk ---`))
  }
})

test('verdicts of our form: JSON, in a block of code, behind thoughts, with slips', () => {
  for (const reply of [
    '{"reason": "x", "verdict": "B"}',
    '```json\n{"reason": "says {\\"verdict\\": \\"A\\"}", "verdict": "B"}\n```',
    '<think>{"verdict": "A"} or not?</think>\n{"verdict": "b"}',
    'Here it is:\n{"reason": "two\nlines",\n "verdict": "B",}',
    '{"verdict": "B"} and again {"verdict": "B"}',
  ])
    expect(said('helpful', reply)).toEqual({ slot: 'second' })
  expect(said('both', '{"verdict": "both bad"}')).toEqual({ slot: 'both_bad' })
  expect(said('harmless', '{"verdict": "TIE"}')).toEqual({ slot: 'tie' })
})

test('no verdict, half a verdict and several verdicts are unreadable', () => {
  for (const reply of [
    '',
    'A',
    '{"verdict": "C"}',
    '{"reason": "x", "verdict": "A',
    '{"verdict": "A"} {"verdict": "B"}',
    '[[A]]',
  ])
    expect(() => said('helpful', reply), reply).toThrow(/verdict/)
  expect(() => said('mt-bench', 'not [[A]] but [[B]]')).toThrow('several verdicts')
  expect(() => said('alpaca-eval', 'm or M')).toThrow('no verdict')
})

test('thoughts that were cut off hold no verdict, and neither do two that differ in one object', () => {
  for (const reply of [
    '<think>If A were better I would say {"verdict": "A"}. But B seems',
    '<think>First.</think>\n<think>Then {"verdict": "A"} it',
    '{"verdict": "A", "reason": "hmm", "verdict": "B"}',
    '{"verdict": "A", "\\u0076erdict": "B"}',
  ])
    expect(() => said('helpful', reply), reply).toThrow(/verdict/)
  expect(() => said('mt-bench', '<think>The verdict would be [[A]] if … However')).toThrow('no verdict')
  expect(() => said('alpaca-eval', '<think>m')).toThrow('no verdict')
  expect(() => said('helpful', '{"score": 2, "score": 9}', 'single')).toThrow('stands twice')
  expect(said('helpful', '{"reason": "a", "verdict": "B"} <think>or')).toEqual({ slot: 'second' })
})

test('grades are numbers from 1 to 10', () => {
  expect(said('helpful', '{"reason": "", "score": 7.5}', 'single')).toEqual({ grade: 7.5 })
  expect(said('mt-bench', 'Solid. Grade: [[8]]', 'single')).toEqual({ grade: 8 })
  for (const reply of ['{"score": 11}', '{"score": "7"}', '{"score": 0}', 'seven'])
    expect(() => said('helpful', reply, 'single'), reply).toThrow()
})

test("MT-bench's and AlpacaEval's syntax", () => {
  expect(said('mt-bench', 'Short. [[A]]')).toEqual({ slot: 'first' })
  expect(said('mt-bench', 'Short. [[C]]')).toEqual({ slot: 'tie' })
  expect(said('alpaca-eval', ' "M"\n')).toEqual({ slot: 'second' })
  expect(said('alpaca-eval', 'm')).toEqual({ slot: 'first' })
  expect(thrown(() => formOf('alpaca-eval', 'single')).message).toContain('compares two answers')
})

test('a file is a rubric, or a prompt with places', () => {
  const path = join(temporaryFolder(), 'mine.txt')
  fs.writeFileSync(path, 'Prefer rhymes.')
  expect(formOf(path, 'pairwise').messages(PAIR, fence)[0].content).toContain('Prefer rhymes.')
  fs.writeFileSync(path, 'Q {{prompt}} 1 {{ answer_a }} 2 {{answer_b}} say [[A]] or [[B]]')
  expect(formOf(path, 'pairwise').messages(PAIR, fence)).toEqual([
    {
      role: 'user',
      content:
        'Q --- prompt m4rk ---\nWhy?\n--- end of prompt m4rk --- 1 --- answer a m4rk ---\nBecause.\n--- end of answer a m4rk --- 2 --- answer b m4rk ---\nDunno.\n--- end of answer b m4rk --- say [[A]] or [[B]]',
    },
  ])
  expect(said(path, '[[B]]')).toEqual({ slot: 'second' })
  expect(said(path, '{"verdict": "A"}')).toEqual({ slot: 'first' })
  expect(() => said(path, '[[B]] {"verdict": "A"}')).toThrow('differ')
  expect(() => said(path, '[[B]] [[A]] {"verdict": "A"}')).toThrow('several')
  expect(thrown(() => formOf(path, 'single')).message).toContain('has no {{answer}}')
  fs.writeFileSync(path, '{{prompt}} {{answer}}')
  expect(said(path, 'Grade: [[7]]', 'single')).toEqual({ grade: 7 })
  fs.writeFileSync(path, '{{prompt}} {{answer_a}} {{answer_b}} {{names}}')
  expect(thrown(() => formOf(path, 'pairwise')).message).toContain('a place {{names}}')
  expect(thrown(() => formOf('nonsense', 'pairwise')).hint).toContain('mt-bench')
})

test('a mark is the same for the same texts and key, and never stands in a text', () => {
  const mark = markOf('key', ['a', 'b'])
  expect(mark).toMatch(/^[0-9a-f]{16}$/)
  expect(markOf('key', ['a', 'b'])).toBe(mark)
  expect(markOf('other', ['a', 'b'])).not.toBe(mark)
})

test('tokens of chat templates are pulled apart, other text stays', () => {
  expect(withoutTokens('a <|im_end|> b </s> [INST] <<SYS>>')).toBe('a < |im_end|> b < /s> [ INST] < <SYS>>')
  expect(withoutTokens('if (a < b || c > d) [1] <b>x</b> <section>')).toBe(
    'if (a < b || c > d) [1] <b>x</b> <section>',
  )
})

test('our own server takes what a judge is asked', () => {
  for (const template of TEMPLATES) {
    const messages = formOf(template, 'pairwise').messages(PAIR, fence)
    const body = bodyOf(
      { url: '', model: 'm', timeoutMs: 1, retries: 0, temperature: 0, maxTokens: 9, responseFormat: 'none' },
      messages,
    )
    expect(chatFields.parse(body)).toMatchObject({ model: 'm', temperature: 0, max_tokens: 9 })
  }
})
