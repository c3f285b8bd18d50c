/** A Hugging Face tokenizer: text to ids with offsets, ids to text. Adds no special token by itself. */

import { copyFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Tokenizer } from 'tokenizers'
import { usageError } from '../errors.js'
import { sha256 } from '../files/digest.js'
import { makeFolder } from '../files/folder.js'
import type { Json } from '../files/json.js'
import { exponentialIn } from './regex-cost.js'
import { type SpecialFrames, specialFrames } from './special-frames.js'
import { namedTokens, type SpecialIds, specialIds } from './special-tokens.js'
import { type TokenizedText, toTokenizedText } from './tokenized-text.js'
import {
  GENERATION_CONFIG,
  readTokenizerFiles,
  TOKENIZER_FILES,
  type TokenizerFiles,
} from './tokenizer-files.js'

export type { TokenizedText } from './tokenized-text.js'

export interface TextTokenizer extends SpecialIds {
  /** The folder that it was read from. */
  dir: string
  /** The generation_config.json that holds for it; {} where there is none. */
  generation: Json
  /** SHA-256 of what makes the ids of a text: two folders with the same one read alike. */
  hash: string
  /** One more than the largest id, added tokens included. */
  vocabSize: number
  /** Special tokens by their text. */
  specialTokens: Map<string, number>
  /** The chat template (jinja) of the folder. */
  chatTemplate?: string
  /** Why the folder's template can't be used. */
  chatTemplateFault?: string
  /** Special tokens by their role, as templates name them: `bos_token`, `pad_token`, … */
  namedTokens: Record<string, string>
  /** Special tokens that the tokenizer's own post-processor would put around a text or a pair of texts. */
  frames: SpecialFrames
  encode(text: string): Promise<TokenizedText>
  encodeBatch(texts: readonly string[]): Promise<TokenizedText[]>
  /** Special tokens are left out unless `keepSpecial`; ids outside the vocabulary decode to nothing. */
  decode(ids: ArrayLike<number>, options?: { keepSpecial?: boolean }): Promise<string>
  /** The text of one token of the vocabulary. */
  tokenText(id: number): string | undefined
  /** Copies the tokenizer's files into a folder. */
  saveTo(dir: string): Promise<void>
}

/**
 * Loads tokenizer.json (else vocab.json and merges.txt) and what stands beside it.
 * @throws ClhaError (usage) for a missing or malformed file, or files that contradict each other
 * @example
 * ```ts
 * const tokenizer = await loadTokenizer('model')
 * tokenizer.specialTokens.has('<|endoftext|>') // true
 * ```
 */
export const loadTokenizer = (dir: string): Promise<TextTokenizer> => loadTokenizerOnBase(dir, dir)

/**
 * The tokenizer that an adapter brings.
 * @param base folder of its base, whose generation_config.json and config.json hold where the adapter's has none
 * @throws ClhaError (usage) as `loadTokenizer`
 */
export async function loadTokenizerOnBase(dir: string, base: string): Promise<TextTokenizer> {
  const files = await readTokenizerFiles(dir, base)
  const made = definitionOf(files)
  const tokenizer = build(files, made)
  checkAgreement(files, tokenizer)
  const vocabSize = files.added.reduce((size, { id }) => Math.max(size, id + 1), tokenizer.getVocabSize(true))
  const special = files.added.filter((token) => token.special)
  const encodeBatch = async (texts: readonly string[]) => {
    const encodings = await tokenizer.encodeBatch([...texts], { addSpecialTokens: false })
    return encodings.map((encoding, i) => toTokenizedText(encoding, texts[i]))
  }
  const ids = specialIds(files, (token) => tokenizer.tokenToId(token), vocabSize)
  const { eosId, bosId, addsBos } = ids
  const read = [made, files.tokenizer.post_processor, files.chatTemplate, eosId, bosId, addsBos]
  return {
    dir,
    generation: files.generation,
    hash: sha256(JSON.stringify(read)),
    vocabSize,
    ...ids,
    specialTokens: new Map(special.map(({ content, id }) => [content, id])),
    chatTemplate: files.chatTemplate,
    chatTemplateFault: files.chatTemplateFault,
    namedTokens: namedTokens(files, ids, (id) => tokenizer.idToToken(id) ?? undefined),
    frames: specialFrames(files.tokenizer.post_processor as Json | null),
    encode: async (text) => (await encodeBatch([text]))[0],
    encodeBatch,
    decode: (ids, options) => tokenizer.decode(Array.from(ids), !options?.keepSpecial),
    tokenText: (id) => tokenizer.idToToken(id) ?? undefined,
    saveTo: (target) => copyFiles(files, target),
  }
}

/** Without post-processor (it trims offsets and adds tokens), truncation and padding: these are decided elsewhere. */
const definitionOf = (files: TokenizerFiles): string =>
  JSON.stringify({ ...files.tokenizer, post_processor: null, truncation: null, padding: null })

/** The library's engine goes back and forth without limit, and can't be stopped. */
function checkExpressions({ dir, tokenizer }: TokenizerFiles): void {
  const { normalizer, pre_tokenizer, decoder } = tokenizer
  const found = exponentialIn([normalizer, pre_tokenizer, decoder])
  if (found === undefined) return
  throw usageError(
    `${join(dir, 'tokenizer.json')}: the regular expression ${JSON.stringify(found.slice(0, 80))} may take for ever on some texts`,
    'A group that repeats must not repeat something itself: (…+)+. Make one of them possessive (++), or use another tokenizer.',
  )
}

function build(files: TokenizerFiles, definition: string): Tokenizer {
  checkExpressions(files)
  try {
    return Tokenizer.fromString(definition)
  } catch (error) {
    const where = join(files.dir, 'tokenizer.json')
    throw usageError(`${where}: not a tokenizer: ${(error as Error).message}`, 'Fetch the file again.')
  }
}

/** tokenizer_config.json may list added tokens as well; the two files have to agree on their ids. */
function checkAgreement(files: TokenizerFiles, tokenizer: Tokenizer): void {
  const listed = (files.config.added_tokens_decoder ?? {}) as Record<string, { content?: string }>
  for (const [id, entry] of Object.entries(listed)) {
    const found = entry?.content === undefined ? null : tokenizer.tokenToId(entry.content)
    if (found === null || found === Number(id)) continue
    const message = `${files.dir}: "${entry.content}" is ${found} in tokenizer.json, ${id} in tokenizer_config.json`
    throw usageError(message, 'The two files belong to different tokenizers; fetch both again.')
  }
}

async function copyFiles({ dir, generationDir }: TokenizerFiles, to: string): Promise<void> {
  if (resolve(dir) === resolve(to)) return
  makeFolder(to)
  for (const name of TOKENIZER_FILES) {
    const from = name === GENERATION_CONFIG ? generationDir : dir
    await copyFile(join(from, name), join(to, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
}
