// What log-probabilities say of tokens whose text depends on where they stand.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { chatLogprobs, completionLogprobs } from '../../src/serve/logprobs.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { temporaryFolder } from '../helpers/folders.js'

const PIECES = ['<s>', '<0xC3>', '<0xA9>', '▁', '▁▁', '▁ab', 'ab']
const id = (piece: string) => PIECES.indexOf(piece)

/** A tokenizer as SentencePiece's are written: a text begins with a space that is taken off again. */
function sentencePiece() {
  const folder = temporaryFolder()
  const decoders = [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    { type: 'Strip', content: ' ', start: 1, stop: 0 },
  ]
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
  const vocab = Object.fromEntries(PIECES.map((piece, i) => [piece, i]))
  const tokenizer = {
    added_tokens: [{ id: 0, content: '<s>', ...flags }],
    decoder: { type: 'Sequence', decoders },
    model: { type: 'BPE', byte_fallback: true, vocab, merges: [] },
  }
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer))
  return loadTokenizer(folder)
}

const of = (...pieces: string[]) =>
  pieces.map((piece) => ({ id: id(piece), logprob: -1, top: [{ id: id('▁ab'), logprob: -0.5 }] }))

test('tokens of a SentencePiece tokenizer keep the space before a word, but at the beginning', async () => {
  const tokenizer = await sentencePiece()
  const tokens = of('▁ab', '▁ab', 'ab', '▁▁', '<0xC3>', '<s>')
  const { content } = (await chatLogprobs(tokens, tokenizer, 0)) as {
    content: { token: string; bytes: number[] | null; top_logprobs: { token: string }[] }[]
  }
  expect(content.map(({ token }) => token)).toEqual(['ab', ' ab', 'ab', '  ', '\ufffd', '<s>'])
  expect(content[1].bytes).toEqual([...Buffer.from(' ab')])
  expect(content[4].bytes).toBeNull()
  expect(content.map(({ top_logprobs: [top] }) => top.token)).toEqual(['ab', ...Array(5).fill(' ab')])
  const later = await completionLogprobs(of('▁ab', '▁ab'), tokenizer, 7)
  expect(later).toMatchObject({
    tokens: [' ab', ' ab'],
    text_offset: [7, 10],
    top_logprobs: [{ ' ab': -0.5 }, {}],
  })
})

test('the texts of an answer’s tokens are the answer', async () => {
  const tokenizer = await sentencePiece()
  const tokens = of('▁ab', 'ab', '▁ab', '▁', 'ab')
  const { tokens: texts } = (await completionLogprobs(tokens, tokenizer, 0)) as { tokens: string[] }
  expect(texts.join('')).toBe(await tokenizer.decode(tokens.map((token) => token.id)))
})

test('of likely tokens with one text the likeliest counts, and the chosen one is always among them', async () => {
  const tokenizer = await sentencePiece()
  const top = [
    { id: id('<0xA9>'), logprob: -0.2 },
    { id: id('<0xC3>'), logprob: -2 },
  ]
  const chosen = { id: id('ab'), logprob: -5, top }
  expect(await completionLogprobs([chosen], tokenizer, 1)).toMatchObject({
    top_logprobs: [{ '\ufffd': -0.2, ab: -5 }],
  })
  expect(await completionLogprobs([{ ...chosen, top: [] }], tokenizer, 1)).toMatchObject({
    top_logprobs: [{ ab: -5 }],
  })
})
