/** The tokenizer: ids, offsets in UTF-16, special tokens, files, errors. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { tempFolder, writeTinyTokenizer } from './tiny-tokenizer.js'

const load = (options = {}) => loadTokenizer(writeTinyTokenizer(options))

describe('ids and offsets', () => {
  test('the ids of bytes decode to the same text', async () => {
    const tokenizer = await load()
    const text = 'a\u0000b é 한 😀 \u202e\n\n'
    const { ids } = await tokenizer.encode(text)
    expect(ids.length).toBe(Buffer.byteLength(text))
    expect(await tokenizer.decode(ids)).toBe(text)
  })

  test('offsets are UTF-16 units, also behind an emoji', async () => {
    const tokenizer = await load()
    const { starts, ends } = await tokenizer.encode('a😀b')
    expect(starts).toEqual([0, 1, 1, 1, 1, 3])
    expect(ends).toEqual([1, 3, 3, 3, 3, 4])
  })

  test('the boundary at a place in the text: tokens that end before it, and whether one straddles it', async () => {
    const tokenizer = await load({ merges: [['b', 'c']] })
    const text = await tokenizer.encode('😀abc😀')
    expect([0, 1, 2, 3, 4, 5, 7].map((at) => text.boundary(at))).toEqual([
      { ended: 0, straddles: false },
      { ended: 0, straddles: true },
      { ended: 4, straddles: false },
      { ended: 5, straddles: false },
      { ended: 5, straddles: true },
      { ended: 6, straddles: false },
      { ended: 10, straddles: false },
    ])
  })

  test('offsets of white space are not trimmed although the post-processor would', async () => {
    const tokenizer = await load({
      merges: [
        ['Ċ', 'Ċ'],
        ['x', 'ĊĊ'],
      ],
    })
    const { starts, ends } = await tokenizer.encode(' x\n\ny')
    expect(starts).toEqual([0, 1, 4])
    expect(ends).toEqual([1, 4, 5])
  })

  test('encode adds no special token, whatever the post-processor says', async () => {
    const postProcessor = {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { '<s>': { id: '<s>', ids: [259], tokens: ['<s>'] } },
    }
    const tokenizer = await load({ postProcessor, config: { bos_token: '<s>' } })
    expect((await tokenizer.encode('ab')).ids.length).toBe(2)
    expect([tokenizer.addsBos, tokenizer.bosId]).toEqual([true, 259])
    const off = await load({ postProcessor, config: { bos_token: '<s>', add_bos_token: false } })
    expect(off.addsBos).toBe(false)
  })

  test('a special token written in the text becomes its id, and is left out of decoded text unless kept', async () => {
    const tokenizer = await load()
    const { ids } = await tokenizer.encode('a<|im_end|>')
    expect(ids[1]).toBe(tokenizer.specialTokens.get('<|im_end|>'))
    expect(await tokenizer.decode(ids)).toBe('a')
    expect(await tokenizer.decode(ids, { keepSpecial: true })).toBe('a<|im_end|>')
  })
})

describe('what the folder says', () => {
  test('vocabulary size counts added tokens; EOS, pad and stop ids come from the files', async () => {
    const files = { 'generation_config.json': JSON.stringify({ eos_token_id: [258, 256] }) }
    const tokenizer = await load({ config: { pad_token: { content: '<s>' } }, files })
    expect(tokenizer.vocabSize).toBe(260)
    expect([tokenizer.eosId, tokenizer.padId, tokenizer.bosId]).toEqual([256, 259, undefined])
    expect(tokenizer.stopIds).toEqual([258, 256])
  })

  test('saveTo writes a folder that loads to the same ids', async () => {
    const tokenizer = await load({ chatTemplate: '{{ messages }}' })
    const target = join(tempFolder('saved'), 'new')
    await tokenizer.saveTo(target)
    const again = await loadTokenizer(target)
    expect((await again.encode('a b')).ids).toEqual((await tokenizer.encode('a b')).ids)
    expect(again.chatTemplate).toBe('{{ messages }}')
    await expect(tokenizer.saveTo(tokenizer.dir)).resolves.toBeUndefined()
  })

  test.each([
    ['no tokenizer.json', { files: {} }, 'drop', /tokenizer.json: no such file/],
    ['broken JSON', { files: { 'tokenizer.json': '{' } }, '', /tokenizer.json: not JSON/],
    ['not a tokenizer', { files: { 'tokenizer.json': '{"model":{"type":"Odd"}}' } }, '', /not a tokenizer/],
    [
      'an EOS outside the vocabulary',
      { config: { eos_token: '<gone>' } },
      '',
      /<gone>.*not in the vocabulary/,
    ],
    [
      'two files that disagree',
      { config: { added_tokens_decoder: { 7: { content: '<s>' } } } },
      '',
      /"<s>" is 259 in tokenizer.json, 7 in/,
    ],
  ])('%s is an error that names the file', async (_, options, how, message) => {
    const dir = how === 'drop' ? tempFolder('empty') : writeTinyTokenizer(options)
    await expect(loadTokenizer(dir)).rejects.toThrow(message)
  })
})

const TOKENIZERS = '../shared/data/tokenizers'
const STRINGS = '../shared/fixtures/text'
const recorded = existsSync(STRINGS) && existsSync(TOKENIZERS)

describe.skipIf(!recorded)('recorded ids of Python tokenizers (skipped without the shared fixtures)', () => {
  test.each(recorded ? readdirSync(join(STRINGS, 'tokenizers')) : [])(
    '%s: every string, both ways',
    async (name) => {
      const { gunzipSync } = await import('node:zlib')
      const source = join(TOKENIZERS, name.replace('.json', ''))
      const dir = tempFolder('recorded')
      for (const file of readdirSync(source)) {
        const bytes = gunzipSync(readFileSync(join(source, file)))
        writeFileSync(join(dir, file.replace('.gz', '')), bytes)
      }
      if (!existsSync(join(dir, 'tokenizer.json'))) writeFileSync(join(dir, 'tokenizer.json'), qwen2(dir))
      const tokenizer = await loadTokenizer(dir)
      const expected = JSON.parse(readFileSync(join(STRINGS, 'tokenizers', name), 'utf8'))
      const { strings } = JSON.parse(readFileSync(join(STRINGS, 'strings.json'), 'utf8')) as {
        strings: string[]
      }
      const encoded = await tokenizer.encodeBatch(strings)
      expect(encoded.map((text) => text.ids)).toEqual(expected.ids)
      expect(tokenizer.vocabSize).toBe(expected.vocab_size)
      if (expected.ids_with_special !== 'same') expect(tokenizer.addsBos).toBe(true)
      for (let i = 0; i < strings.length; i++) {
        const text = await tokenizer.decode(encoded[i].ids, { keepSpecial: true })
        expect(text).toBe(expected.decode_not_roundtrip[i] ?? strings[i])
        expect(encoded[i].ends.every((end) => end <= strings[i].length)).toBe(true)
      }
    },
  )
})

/** tokenizer.json for Qwen2's vocab.json + merges.txt, as its published pattern says. */
function qwen2(dir: string): string {
  const vocab = JSON.parse(readFileSync(join(dir, 'vocab.json'), 'utf8'))
  const lines = readFileSync(join(dir, 'merges.txt'), 'utf8').split('\n')
  const merges = lines.filter((line) => line !== '' && !line.startsWith('#version'))
  const Regex =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false }
  const split = { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false }
  const flags = { special: true, single_word: false, lstrip: false, rstrip: false, normalized: false }
  const added = ['<|endoftext|>', '<|im_start|>', '<|im_end|>']
  return JSON.stringify({
    version: '1.0',
    added_tokens: added.map((content, i) => ({ id: 151643 + i, content, ...flags })),
    normalizer: { type: 'NFC' },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [split, byteLevel] },
    post_processor: byteLevel,
    decoder: byteLevel,
    model: { type: 'BPE', vocab, merges, byte_fallback: false, fuse_unk: false },
  })
}
