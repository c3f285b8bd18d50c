import { describe, expect, test } from 'vitest'
import { tokenView } from '../../src/inspect/token-view.js'
import { chatTemplate } from '../../src/text/template.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { writeTinyTokenizer } from '../text/tiny-tokenizer.js'
import { pair, user } from './rows.js'

const open = async (options: Parameters<typeof writeTinyTokenizer>[0]) =>
  loadTokenizer(writeTinyTokenizer({ config: { eos_token: '<|endoftext|>' }, ...options }))

describe('the tokens of a row', () => {
  test('are the text in pieces, with the roles that training gives them', async () => {
    const tokenizer = await open({})
    const view = await tokenView(
      pair(user('a'), 'bc', 'bd'),
      tokenizer,
      await chatTemplate(tokenizer, 'hh'),
      {
        maxLength: 100,
      },
    )
    if (typeof view === 'string') throw new Error(view)
    expect(view.prompt.map(({ text }) => text).join('')).toBe('\n\nHuman: a\n\nAssistant:')
    expect(view.prompt.every(({ role }) => role === 'prompt')).toBe(true)
    const [first] = view.answers
    expect(first.pieces.map(({ text, role }) => [text, role])).toEqual([
      [' ', 'answer'],
      ['b', 'answer'],
      ['c', 'answer'],
      ['<|endoftext|>', 'end'],
    ])
    expect(first).toMatchObject({ scored: 4, truncated: false, ended: true })
  })

  test('show a token that begins in the prompt, and what the answers then do not share', async () => {
    const tokenizer = await open({ merges: [['x', 'y']] })
    const view = await tokenView(pair('ax', 'yb', 'zb'), tokenizer, await chatTemplate(tokenizer, 'plain'), {
      maxLength: 100,
    })
    if (typeof view === 'string') throw new Error(view)
    expect(view.prompt.map(({ text }) => text)).toEqual(['a'])
    expect(view.answers[0].pieces.slice(0, 2)).toMatchObject([
      { text: 'xy', role: 'answer', merged: true },
      { text: 'b', role: 'answer' },
    ])
    expect(view.answers[1].pieces.slice(0, 2)).toMatchObject([
      { text: 'x', role: 'context' },
      { text: 'z', role: 'answer' },
    ])
    expect(view.answers[1].pieces[0].merged).toBeUndefined()
  })

  test('keep a character of several tokens whole, and say what is cut', async () => {
    const tokenizer = await open({})
    const view = await tokenView(
      pair('abcdefgh', 'é12345', 'b'),
      tokenizer,
      await chatTemplate(tokenizer, 'plain'),
      {
        maxLength: 8,
        maxPromptLength: 3,
      },
    )
    if (typeof view === 'string') throw new Error(view)
    expect(view.promptCut).toBe(5)
    expect(view.prompt.map(({ text }) => text).join('')).toBe('fgh')
    const { pieces, truncated, ended } = view.answers[0]
    expect(pieces.map(({ text }) => text)).toEqual(['', 'é', '1', '2', '3'])
    expect([truncated, ended]).toEqual([true, false])
  })
})
