import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { modelfile } from '../../../src/models/gguf/modelfile.js'
import { cuttingName } from '../../../src/models/gguf/tokenizer/cutting-of.js'
import { mergesOfScores } from '../../../src/models/gguf/tokenizer/merges-of-scores.js'
import { CUTTINGS, preTokenizer } from '../../../src/models/gguf/tokenizer/pre-tokenizers.js'
import { tokenizerFilesOfGguf } from '../../../src/models/gguf/tokenizer/tokenizer-of-gguf.js'
import { KIND } from '../../../src/models/gguf/tokenizer/vocabulary.js'
import { vocabularyForGguf } from '../../../src/models/gguf/tokenizer/vocabulary-of.js'
import { trainByteLevelBpe } from '../../../src/text/bpe-train.js'
import { chatTemplate } from '../../../src/text/template.js'
import { loadTokenizer, type TextTokenizer } from '../../../src/text/tokenizer.js'
import { temporaryFolder } from '../../helpers/folders.js'

describe('how texts are cut before the merges', () => {
  it('the first name of each cutting is found by its steps', () => {
    const names = Object.entries(CUTTINGS).map(([name, cutting]) => {
      const normalizer = cutting.nfc ? { type: 'NFC' } : null
      const model = { ignore_merges: cutting.ignoreMerges ?? false }
      return [name, cuttingName({ model, normalizer, pre_tokenizer: preTokenizer(cutting, false) }, 'x')]
    })
    expect(Object.fromEntries(names)).toMatchObject({
      'gpt-2': 'gpt-2',
      'phi-2': 'gpt-2',
      mpt: 'olmo',
      smollm: 'smollm',
      starcoder: 'smollm',
      'llama-bpe': 'llama-bpe',
      llama3: 'llama-bpe',
      dbrx: 'dbrx',
      qwen2: 'qwen2',
      tekken: 'tekken',
      'gpt-4o': 'gpt-4o',
    })
  })

  it('one that llama.cpp does not have is refused', () => {
    const pre_tokenizer = { type: 'Split', pattern: { Regex: 'x+' }, behavior: 'Isolated', invert: false }
    expect(() => cuttingName({ model: {}, normalizer: null, pre_tokenizer }, 'here')).toThrow(
      'here: pre_tokenizer {"type":"Split"',
    )
  })
})

describe('a SentencePiece vocabulary', () => {
  it('its merges come by falling score, and of one piece by the ids of its parts', () => {
    // "abc" can be made of a + bc and of ab + c.
    const pieces = ['a', 'b', 'c', 'bc', 'ab', 'abc', 'x😀', 'x', '😀']
    const scores = [-9, -9, -9, -1, -2, -3, -4, -9, -9]
    expect(mergesOfScores(pieces, scores, (id) => id >= 3 && id < 7)).toEqual([
      ['b', 'c'],
      ['a', 'b'],
      ['a', 'bc'],
      ['ab', 'c'],
      ['x', '😀'],
    ])
  })

  it('texts are cut by score, with bytes for what is missing', async () => {
    const bytes = Array.from(
      { length: 256 },
      (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`,
    )
    const pieces = ['▁a', 'b', 'c', 'bc', '▁', 'a', '▁abc', '▁ab']
    const tokens = ['<unk>', '<s>', '</s>', ...bytes, ...pieces]
    const kinds = tokens.map((_, id) => (id < 3 ? KIND.control : id < 259 ? KIND.byte : KIND.normal))
    const scores = tokens.map((token) => [-1, 0, 0, -2, 0, 0, -3, 0][pieces.indexOf(token)] ?? 0)
    const vocabulary = {
      model: 'llama' as const,
      pre: 'default',
      tokens,
      kinds,
      scores,
      merges: [],
      ends: [],
      bos: 1,
      eos: 2,
      unknown: 0,
      namedTemplates: {},
    }
    const folder = temporaryFolder()
    for (const { path, chunks } of tokenizerFilesOfGguf(vocabulary, 'x'))
      writeFileSync(join(folder, path), Buffer.concat([...chunks()]))
    const tokenizer = await loadTokenizer(folder)
    expect(tokenizer.addsBos).toBe(true)
    // A space comes first: ▁ + a, then b + c, then ▁a + bc; é is two bytes, 0xC3 and 0xA9.
    expect((await tokenizer.encode('abc')).ids).toEqual([tokens.indexOf('▁abc')])
    expect((await tokenizer.encode('aé')).ids).toEqual([tokens.indexOf('▁a'), 3 + 0xc3, 3 + 0xa9])
    expect(await tokenizer.decode([tokens.indexOf('▁abc'), 3 + 0xc3, 3 + 0xa9])).toBe('abcé')
  })
})

it('every row of the embedding has an entry, and each token its kind', async () => {
  const folder = temporaryFolder()
  const made = trainByteLevelBpe(['abc abc'], { vocabSize: 258, specialTokens: ['<|endoftext|>'] })
  const more = {
    id: 260,
    content: '<|tool|>',
    special: false,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  }
  const added_tokens = [...made.added_tokens, more, { ...more, id: 262, content: 'my▁token' }]
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ ...made, added_tokens }))
  writeFileSync(join(folder, 'tokenizer_config.json'), '{"eos_token":"<|endoftext|>","pad_token":"<|tool|>"}')
  const { tokens, kinds, entries } = await vocabularyForGguf(await loadTokenizer(folder), 264)
  expect(tokens.slice(257)).toEqual([
    tokens[257],
    '[PAD258]',
    '[PAD259]',
    '<|tool|>',
    '[PAD261]',
    'my token',
    '[PAD263]',
  ])
  const { control, normal, unused, userDefined } = KIND
  // What looks like a control token is one, whatever its tokenizer says.
  expect([kinds[0], ...kinds.slice(256)]).toEqual([
    control,
    normal,
    normal,
    unused,
    unused,
    control,
    unused,
    userDefined,
    unused,
  ])
  const value = (key: string) => Object.fromEntries(entries)[`tokenizer.ggml.${key}`]?.value
  expect(
    ['model', 'pre', 'eos_token_id', 'padding_token_id', 'bos_token_id', 'add_bos_token'].map(value),
  ).toEqual(['gpt2', 'smollm', 0, 260, undefined, false])
  await expect(vocabularyForGguf(await loadTokenizer(folder), 262)).rejects.toThrow(
    'has id 262, the model 262 embeddings',
  )
})

/** A tokenizer as far as templates ask it. */
const specials = (...names: string[]) =>
  ({
    specialTokens: new Map(names.map((name, i) => [name, i])),
    namedTokens: {},
    tokenText: () => '',
  }) as unknown as TextTokenizer

describe('the Modelfile', () => {
  it('writes a template turn by turn where the Jinja one does so', async () => {
    const template = await chatTemplate(specials('<|im_start|>', '<|im_end|>'), 'chatml')
    const { text } = modelfile({ file: 'x.gguf', template, stops: ['<|im_end|>', 'a"b'] })
    expect(text).toBe(
      'FROM ./x.gguf\n' +
        'TEMPLATE """{{ range .Messages }}{{ if eq .Role "system" }}<|im_start|>system\n{{ .Content }}<|im_end|>\n' +
        '{{ else if eq .Role "user" }}<|im_start|>user\n{{ .Content }}<|im_end|>\n' +
        '{{ else if eq .Role "assistant" }}<|im_start|>assistant\n{{ .Content }}<|im_end|>\n' +
        '{{ end }}{{ end }}<|im_start|>assistant\n"""\n' +
        'PARAMETER stop "<|im_end|>"\nPARAMETER stop "a\\"b"\n',
    )
  })

  it('leaves the template out where turns depend on what came before, and names the base of an adapter', async () => {
    const template = await chatTemplate(specials('<s>', '</s>'), 'llama2')
    const { text, hasTemplate } = modelfile({ file: 'x.gguf', base: 'b.gguf', template, stops: [] })
    expect([text, hasTemplate]).toEqual(['FROM ./b.gguf\nADAPTER ./x.gguf\n', false])
  })

  it('says a default system turn only where there is none', async () => {
    const source =
      "{% if messages[0].role != 'system' %}{{ '[S]be kind' }}{% endif %}{% for m in messages %}{{ '[' + m.role + ']' + m.content }}{% endfor %}{{ '[assistant]' if add_generation_prompt }}"
    const { text } = modelfile({
      file: 'x.gguf',
      template: await chatTemplate(specials('[S]'), source),
      stops: [],
    })
    expect(text).toContain(
      '"""{{ if ne (index .Messages 0).Role "system" }}[S]be kind{{ end }}{{ range .Messages }}',
    )
  })
})
