/** tokenizer.json made from the two files of a slow byte-level BPE tokenizer: vocab.json and merges.txt. */
import { join } from 'node:path'
import { usageError } from '../errors.js'
import type { Json } from '../files/json.js'

/** What the folder says besides the two files. */
export interface SlowFiles {
  dir: string
  vocab: Json
  merges: string
  /** tokenizer_config.json over special_tokens_map.json. */
  config: Json
  /** added_tokens.json: text to id. */
  added: Json
}

/** How each class cuts a text before the merges: contractions, letters, digits, other signs, white space. */
const QWEN2_SPLIT =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" +
  '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'

const byteLevel = (useRegex: boolean, addPrefixSpace: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space: addPrefixSpace,
  trim_offsets: false,
  use_regex: useRegex,
})

type Parts = { normalizer: Json | null; pre_tokenizer: Json }

const CLASSES: Readonly<Record<string, (config: Json) => Parts>> = {
  GPT2Tokenizer: ({ add_prefix_space }) => ({
    normalizer: null,
    pre_tokenizer: byteLevel(true, add_prefix_space === true),
  }),
  Qwen2Tokenizer: () => ({
    normalizer: { type: 'NFC' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: QWEN2_SPLIT }, behavior: 'Isolated', invert: false },
        byteLevel(false, false),
      ],
    },
  }),
}

/** @throws ClhaError (usage) when the class, which decides how texts are cut, is not named or not known */
export function tokenizerFromVocab(files: SlowFiles): Json {
  const { dir, vocab, merges, config } = files
  const named = String(config.tokenizer_class ?? '').replace(/Fast$/, '')
  if (!Object.hasOwn(CLASSES, named)) {
    const found = config.tokenizer_class === undefined ? 'is not named' : `"${named}" is not supported`
    throw usageError(
      `${join(dir, 'tokenizer_config.json')}: tokenizer_class ${found}; vocab.json and merges.txt alone do not say how texts are cut`,
      `Name it (${Object.keys(CLASSES).join(', ')}), or write a tokenizer.json with transformers: ` +
        'AutoTokenizer.from_pretrained(dir).save_pretrained(dir)',
    )
  }
  const decoder = byteLevel(true, false)
  const lines = merges.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#version'))
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(files),
    ...CLASSES[named](config),
    post_processor: null,
    decoder,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges: lines,
    },
  }
}

interface Flags {
  content: string
  special?: boolean
  lstrip?: boolean
  rstrip?: boolean
  single_word?: boolean
  normalized?: boolean
}

const ROLES = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token']

/** Listed tokens keep their ids; special ones without an id follow the vocabulary, in the order of their roles. */
function addedTokens({ vocab, config, added }: SlowFiles): Json[] {
  const listed = Object.entries((config.added_tokens_decoder ?? {}) as Record<string, Flags>)
  const out = new Map(listed.map(([id, flags]) => [flags.content, entry(Number(id), flags, true)]))
  const extra = Object.entries(added as Record<string, number>).sort(([, a], [, b]) => a - b)
  const special = [...ROLES.map((role) => config[role]), ...asList(config.additional_special_tokens)].flatMap(
    (value) => (typeof value === 'string' ? [{ content: value }] : value ? [value as Flags] : []),
  )
  const isSpecial = new Set(special.map(({ content }) => content))
  for (const [content, id] of extra)
    if (!out.has(content)) out.set(content, entry(id, { content }, isSpecial.has(content)))
  let next = Object.values(vocab as Record<string, number>).reduce((most, id) => Math.max(most, id + 1), 0)
  for (const { id } of out.values()) next = Math.max(next, (id as number) + 1)
  for (const flags of special) {
    if (out.has(flags.content)) continue
    const known = (vocab as Record<string, number>)[flags.content]
    out.set(flags.content, entry(known ?? next++, flags, true))
  }
  return [...out.values()].sort((a, b) => (a.id as number) - (b.id as number))
}

const entry = (id: number, flags: Flags, special: boolean): Json => ({
  id,
  content: flags.content,
  single_word: flags.single_word ?? false,
  lstrip: flags.lstrip ?? false,
  rstrip: flags.rstrip ?? false,
  normalized: flags.normalized ?? false,
  special: flags.special ?? special,
})

const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
