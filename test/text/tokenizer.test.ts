/** The tokenizer: ids, offsets in UTF-16, special tokens, files, errors. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { byteLevelAlphabet } from 'tokenizers'
import { describe, expect, test } from 'vitest'
import { specialFrames } from '../../src/text/special-frames.js'
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

  test('without a generation_config.json answers end where config.json says', async () => {
    const said = (eos_token_id: unknown) => JSON.stringify({ eos_token_id })
    const stops = async (files: Record<string, string>) => (await load({ files })).stopIds
    expect(await stops({ 'config.json': said([258, 257]) })).toEqual([258, 257, 256])
    const both = { 'config.json': said([258, 257]), 'generation_config.json': said(258) }
    expect(await stops(both)).toEqual([258, 256])
    expect(await stops({ 'config.json': said(null) })).toEqual([256])
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

describe('vocab.json and merges.txt without tokenizer.json', () => {
  const vocab = Object.fromEntries(
    [...byteLevelAlphabet().sort(), 'ab', '<|endoftext|>'].map((token, i) => [token, i]),
  )
  const folder = (config: Record<string, unknown>, files: Record<string, string> = {}) => {
    const dir = tempFolder('slow')
    const all = {
      'vocab.json': JSON.stringify(vocab),
      'merges.txt': '#version: 0.2\na b\n',
      'tokenizer_config.json': JSON.stringify(config),
      ...files,
    }
    for (const [name, text] of Object.entries(all)) writeFileSync(join(dir, name), text)
    return dir
  }

  test('load to the merges of the class that tokenizer_config.json names', async () => {
    const config = { tokenizer_class: 'GPT2TokenizerFast', eos_token: '<|endoftext|>' }
    const tokenizer = await loadTokenizer(folder(config))
    const { ids } = await tokenizer.encode('ab<|endoftext|>')
    expect(ids).toEqual([256, 257])
    expect([tokenizer.eosId, tokenizer.vocabSize]).toEqual([257, 258])
    expect(await tokenizer.decode(ids)).toBe('ab')
  })

  test('special tokens without an id of their own follow the vocabulary; listed ones keep theirs', async () => {
    const config = {
      tokenizer_class: 'Qwen2Tokenizer',
      eos_token: '<|endoftext|>',
      pad_token: { content: '<pad>' },
      additional_special_tokens: ['<a>', '<b>'],
      added_tokens_decoder: { 259: { content: '<b>', special: true } },
    }
    const tokenizer = await loadTokenizer(folder(config, { 'added_tokens.json': '{"<tool>": 258}' }))
    expect([...tokenizer.specialTokens].sort()).toEqual([
      ['<a>', 261],
      ['<b>', 259],
      ['<pad>', 260],
      ['<|endoftext|>', 257],
    ])
    expect((await tokenizer.encode('<tool><b>')).ids).toEqual([258, 259])
  })

  test('what Qwen2 normalises and splits is normalised and split', async () => {
    const tokenizer = await loadTokenizer(folder({ tokenizer_class: 'Qwen2Tokenizer' }))
    const composed = await tokenizer.encode('\u00e9')
    expect((await tokenizer.encode('e\u0301')).ids).toEqual(composed.ids)
  })

  test('saved into another folder it loads to the same ids', async () => {
    const tokenizer = await loadTokenizer(folder({ tokenizer_class: 'GPT2Tokenizer' }))
    const target = join(tempFolder('saved'), 'new')
    await tokenizer.saveTo(target)
    expect((await (await loadTokenizer(target)).encode('abab')).ids).toEqual([256, 256])
  })

  test.each([
    ['no class', folder({}), /tokenizer_class is not named/],
    ['an unknown class', folder({ tokenizer_class: 'OddTokenizer' }), /"OddTokenizer" is not supported/],
  ])('%s is an error that names the file', async (_, dir, message) => {
    await expect(loadTokenizer(dir)).rejects.toThrow(message)
  })

  test.each(['tokenizer.model', 'spm.model'])(
    '%s alone is an error with the command that converts it',
    async (name) => {
      const dir = tempFolder('sentencepiece')
      writeFileSync(join(dir, name), 'x')
      await expect(loadTokenizer(dir)).rejects.toMatchObject({
        message: expect.stringContaining(`${name}: a SentencePiece model`),
        hint: expect.stringContaining('save_pretrained'),
      })
    },
  )
})

describe('special tokens around texts', () => {
  const piece = (id: string) =>
    id.length === 1 ? { Sequence: { id, type_id: 0 } } : { SpecialToken: { id, type_id: 0 } }
  const bert = {
    type: 'TemplateProcessing',
    single: ['[CLS]', 'A', '[SEP]'].map(piece),
    pair: ['[CLS]', 'A', '[SEP]', 'B', '[SEP]'].map(piece),
    special_tokens: { '[CLS]': { id: '[CLS]', ids: [1] }, '[SEP]': { id: '[SEP]', ids: [2] } },
  }
  test.each([
    ['a template', bert, { before: [1], between: [2], after: [2] }, [1]],
    [
      'a sequence that holds one',
      { type: 'Sequence', processors: [{ type: 'ByteLevel' }, bert] },
      { before: [1], between: [2], after: [2] },
      [1],
    ],
    [
      'RoBERTa',
      { type: 'RobertaProcessing', cls: ['<s>', 0], sep: ['</s>', 2] },
      { before: [0], between: [2, 2], after: [2] },
      [0],
    ],
    [
      'BERT',
      { type: 'BertProcessing', cls: ['c', 5], sep: ['s', 6] },
      { before: [5], between: [6], after: [6] },
      [5],
    ],
    ['none', null, undefined, []],
  ])('%s: pair and single', (_, processor, pair, before) => {
    const frames = specialFrames(processor as never)
    expect(frames.pair).toEqual(pair)
    expect(frames.single.before).toEqual(before)
  })
})
