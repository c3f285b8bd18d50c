import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Tokenizer } from 'tokenizers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ClhaError } from '../../src/errors.js'
import { byteAlphabet, saveTokenizer, trainByteLevelBpe } from '../../src/text/bpe-train.js'

const SPECIAL = ['<|endoftext|>', '<|user|>']
// "low" 5 times, "lower" twice, "newest" 6 times, "widest" 3 times, each word on a line of its own.
const CORPUS = [
  ...Array(5).fill('low'),
  ...Array(2).fill('lower'),
  ...Array(6).fill('newest'),
  ...Array(3).fill('widest'),
]
const load = (json: object) => Tokenizer.fromString(JSON.stringify(json))
const ids = async (tokenizer: Tokenizer, text: string) => (await tokenizer.encode(text)).getIds()

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bpe-'))
})
afterAll(() => rm(dir, { recursive: true }))

describe('merges', () => {
  // By hand: (e, s) and (s, t) stand 9 times each, and e has the lower id; then (es, t) 9 times; that leaves (w, es) 6,
  // (w, e) 2, and (l, o) and (o, w) 7 times each in low and lower.
  test('are those counted by hand, ties going to the lower ids', () => {
    const json = trainByteLevelBpe(CORPUS, { vocabSize: 2 + 256 + 4, specialTokens: SPECIAL })
    expect(json.model.merges).toEqual([
      ['e', 's'],
      ['es', 't'],
      ['l', 'o'],
      ['lo', 'w'],
    ])
  })

  test('give the library the ids that follow from them', async () => {
    const json = trainByteLevelBpe(CORPUS, { vocabSize: 2 + 256 + 4, specialTokens: SPECIAL })
    const byteId = (char: string) => 2 + [...byteAlphabet()].sort().indexOf(char)
    expect(await ids(load(json), 'lowest')).toEqual([261, 259])
    expect(await ids(load(json), 'slow')).toEqual([byteId('s'), 261])
    expect(await ids(load(json), 'wet')).toEqual(['w', 'e', 't'].map(byteId))
  })

  test('never cross words, and leave every digit alone', () => {
    const json = trainByteLevelBpe(Array(50).fill('on 1234 and on 1234'), {
      vocabSize: 300,
      specialTokens: [],
    })
    const joined = json.model.merges.map(([a, b]) => a + b)
    expect(joined.some((token) => /\d.|.\d/.test(token))).toBe(false)
    expect(joined.some((token) => token.lastIndexOf('Ġ') > 0)).toBe(false)
  })

  test('stop where no pair is left that is frequent enough', () => {
    const json = trainByteLevelBpe(['ab ab cd'], { vocabSize: 1000, specialTokens: [] })
    // "ab" and " ab" hold (a, b) twice; every other pair stands once.
    expect(json.model.merges).toEqual([['a', 'b']])
  })

  test('of overlapping pairs are taken from the left', async () => {
    const json = trainByteLevelBpe(Array(4).fill('aaa'), { vocabSize: 257, specialTokens: [] })
    const a = json.model.vocab.a
    expect(await ids(load(json), 'aaa')).toEqual([256, a])
  })

  test('are the same in every run and depend on no order of equal counts', () => {
    const options = { vocabSize: 280, specialTokens: SPECIAL }
    expect(trainByteLevelBpe([...CORPUS].reverse(), options)).toEqual(trainByteLevelBpe(CORPUS, options))
  })
})

test('special tokens have the lowest ids and stay whole', async () => {
  const tokenizer = load(trainByteLevelBpe(CORPUS, { vocabSize: 300, specialTokens: SPECIAL }))
  expect(SPECIAL.map((token) => tokenizer.tokenToId(token))).toEqual([0, 1])
  expect(await ids(tokenizer, 'low<|endoftext|>')).toEqual([tokenizer.tokenToId('low'), 0])
})

test('special tokens that would hide a byte or each other are refused', () => {
  for (const specialTokens of [['s'], [''], ['<a>', '<a>']]) {
    expect(() => trainByteLevelBpe(CORPUS, { vocabSize: 300, specialTokens })).toThrow(ClhaError)
  }
})

test('a vocabulary without room for the 256 bytes is refused', () => {
  expect(() => trainByteLevelBpe(CORPUS, { vocabSize: 257, specialTokens: SPECIAL })).toThrow(ClhaError)
})

describe('a saved tokenizer', () => {
  test.each([
    'plain words, and more.',
    '  leading and trailing  ',
    'tabs\tand\n\nlines\r\n',
    'Grüße aus Kraków, čeština, Ελληνικά, русский',
    '日本語の文章と中文',
    'family 👨‍👩‍👧‍👦 flag 🇩🇪 thumb 👍🏽',
    'digits 0123456789 ½ ٣ x2',
    "it's we'll I'd",
    '\u0000\u0007\u00ad\ufeff\u200b',
    'شكرا नमस्ते',
  ])('decodes what it encoded: %j', async (text) => {
    await saveTokenizer(
      dir,
      trainByteLevelBpe([...CORPUS, text, text], { vocabSize: 290, specialTokens: SPECIAL }),
    )
    const tokenizer = Tokenizer.fromFile(join(dir, 'tokenizer.json'))
    expect(await tokenizer.decode(await ids(tokenizer, text), false)).toBe(text)
  })

  test('names its end-of-text token and has no chat template', async () => {
    await saveTokenizer(dir, trainByteLevelBpe(CORPUS, { vocabSize: 290, specialTokens: SPECIAL }))
    const config = JSON.parse(await readFile(join(dir, 'tokenizer_config.json'), 'utf8'))
    expect(config.eos_token).toBe('<|endoftext|>')
    expect(config).not.toHaveProperty('chat_template')
  })

  test('must hold its end-of-text token', async () => {
    const json = trainByteLevelBpe(CORPUS, { vocabSize: 290, specialTokens: [] })
    await expect(saveTokenizer(dir, json)).rejects.toThrow(ClhaError)
  })
})
