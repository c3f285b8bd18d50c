/** Trains a byte-level BPE tokenizer and writes it as a Hugging Face `tokenizer.json`. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { usageError } from '../errors.js'
import { makeFolder } from '../files/folder.js'

export interface BpeOptions {
  /** Number of tokens in all: special tokens, 256 bytes, merges. Fewer when the texts have no more pairs. */
  vocabSize: number
  /** Get the lowest ids, in this order. */
  specialTokens: string[]
  /** Merge only pairs seen this often. Default 2. */
  minFrequency?: number
}

/** The part of a Hugging Face `tokenizer.json` that a byte-level BPE needs. */
export interface TokenizerJson {
  version: '1.0'
  truncation: null
  padding: null
  added_tokens: { id: number; content: string; special: true; [flag: string]: unknown }[]
  normalizer: null
  pre_tokenizer: object
  post_processor: null
  decoder: object
  model: { type: 'BPE'; vocab: Record<string, number>; merges: [string, string][]; [key: string]: unknown }
}

/** GPT-2's split into words (Radford et al., 2019), after every digit has been set apart. */
const WORD = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu

/** GPT-2's printable stand-in for each byte: printable Latin-1 is itself, the others follow from U+0100. */
export function byteAlphabet(): string[] {
  const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174
  let next = 256
  return Array.from({ length: 256 }, (_, b) => String.fromCharCode(printable(b) ? b : next++))
}

interface Word {
  ids: number[]
  count: number
}

interface Pairs {
  /** Key `left * 2^20 + right`: how often the pair stands in the texts. */
  counts: Map<number, number>
  /** Words that hold the pair, or once did. */
  where: Map<number, Set<number>>
}

const LIMIT = 2 ** 20

/**
 * Deterministic: of pairs seen equally often, the one with the lower ids is merged first.
 * @throws ClhaError when `vocabSize` has no room for the special tokens and the 256 bytes, or a special token is
 * one character long or given twice
 */
export function trainByteLevelBpe(texts: readonly string[], options: BpeOptions): TokenizerJson {
  const { vocabSize, specialTokens, minFrequency = 2 } = options
  const base = specialTokens.length + 256
  if (vocabSize < base || vocabSize >= LIMIT) {
    throw usageError(`a vocabulary of ${vocabSize} tokens is out of range`, `Give ${base} to ${LIMIT - 1}.`)
  }
  if (new Set(specialTokens).size < specialTokens.length || specialTokens.some((t) => [...t].length < 2)) {
    throw usageError('special tokens must differ and have two characters or more')
  }
  const bytes = byteAlphabet()
  const tokens = [...specialTokens, ...[...bytes].sort()]
  const idOfByte = bytes.map((char) => tokens.indexOf(char, specialTokens.length))
  const words = countWords(texts, idOfByte)
  const pairs: Pairs = { counts: new Map(), where: new Map() }
  words.forEach((word, at) => {
    countPairs(pairs, word, at, 1)
  })
  const merges: [string, string][] = []
  while (tokens.length < vocabSize) {
    const best = bestPair(pairs.counts, minFrequency)
    if (best === undefined) break
    const left = Math.floor(best / LIMIT)
    const right = best % LIMIT
    merges.push([tokens[left], tokens[right]])
    tokens.push(tokens[left] + tokens[right])
    mergeEverywhere(words, pairs, left, right, tokens.length - 1)
  }
  return tokenizerJson(tokens, merges, specialTokens)
}

/** Different words of the texts as byte ids, with how often each occurs. */
function countWords(texts: readonly string[], idOfByte: readonly number[]): Word[] {
  const counts = new Map<string, number>()
  for (const text of texts) {
    for (const piece of text.split(/(\p{N})/u)) {
      for (const [word] of piece.matchAll(WORD)) counts.set(word, (counts.get(word) ?? 0) + 1)
    }
  }
  return [...counts].map(([word, count]) => ({
    ids: [...Buffer.from(word, 'utf8')].map((byte) => idOfByte[byte]),
    count,
  }))
}

/** Adds (`sign` 1) or takes away (-1) the pairs of one word. */
function countPairs({ counts, where }: Pairs, { ids, count }: Word, at: number, sign: 1 | -1): void {
  for (let i = 0; i + 1 < ids.length; i++) {
    const key = ids[i] * LIMIT + ids[i + 1]
    const left = (counts.get(key) ?? 0) + sign * count
    if (left > 0) counts.set(key, left)
    else counts.delete(key)
    if (sign < 0) continue
    const holders = where.get(key)
    if (holders) holders.add(at)
    else where.set(key, new Set([at]))
  }
}

function bestPair(counts: ReadonlyMap<number, number>, minFrequency: number): number | undefined {
  let best: number | undefined
  let most = Math.max(minFrequency, 1)
  for (const [key, count] of counts) {
    if (count > most || (count === most && (best === undefined || key < best))) {
      best = key
      most = count
    }
  }
  return best
}

/** Replaces the pair in the words that hold it, left to right, and recounts only those words. */
function mergeEverywhere(words: Word[], pairs: Pairs, left: number, right: number, merged: number): void {
  const key = left * LIMIT + right
  for (const at of pairs.where.get(key) ?? []) {
    const word = words[at]
    countPairs(pairs, word, at, -1)
    const ids: number[] = []
    for (let i = 0; i < word.ids.length; i++) {
      const isPair = word.ids[i] === left && word.ids[i + 1] === right
      ids.push(isPair ? merged : word.ids[i])
      if (isPair) i++
    }
    word.ids = ids
    countPairs(pairs, word, at, 1)
  }
  pairs.where.delete(key)
}

function tokenizerJson(
  tokens: readonly string[],
  merges: [string, string][],
  specialTokens: readonly string[],
): TokenizerJson {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({ id, content, ...flags, special: true })),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel],
    },
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  }
}

/**
 * Writes `tokenizer.json` and `tokenizer_config.json` (no chat template).
 * @throws ClhaError when the end-of-text token is not one of the special tokens
 */
export async function saveTokenizer(
  dir: string,
  tokenizer: TokenizerJson,
  eosToken = '<|endoftext|>',
): Promise<void> {
  if (!tokenizer.added_tokens.some((token) => token.content === eosToken)) {
    throw usageError(`the tokenizer has no token ${eosToken}`, 'Train it with this special token.')
  }
  const config = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    eos_token: eosToken,
    clean_up_tokenization_spaces: false,
    model_max_length: 1e9,
  }
  makeFolder(dir)
  await writeFile(join(dir, 'tokenizer.json'), `${JSON.stringify(tokenizer, null, 1)}\n`)
  await writeFile(join(dir, 'tokenizer_config.json'), `${JSON.stringify(config, null, 2)}\n`)
}
