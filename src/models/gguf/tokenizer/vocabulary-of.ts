/** The vocabulary of a tokenizer folder as GGUF holds it: one entry for each id, with its kind, and the ids with a role. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { usageError } from '../../../errors.js'
import type { TextTokenizer } from '../../../text/tokenizer.js'
import { readTokenizerFiles, type TokenizerFiles } from '../../../text/tokenizer-files.js'
import { bool, type Entry, text, uint } from '../settings-for-gguf.js'
import { cuttingName } from './cutting-of.js'
import { KIND } from './vocabulary.js'

type Json = Record<string, unknown>

export interface VocabularyForGguf {
  tokens: string[]
  kinds: number[]
  entries: Entry[]
}

const PREFIX = 'tokenizer.ggml.'

/**
 * @param size rows of the embedding: ids without a token get an entry, too
 * @throws ClhaError (exit 2) for a tokenizer of a kind that llama.cpp does not have
 */
export async function vocabularyForGguf(tokenizer: TextTokenizer, size: number): Promise<VocabularyForGguf> {
  const files = await readTokenizerFiles(tokenizer.dir)
  const where = join(
    tokenizer.dir,
    existsSync(join(tokenizer.dir, 'tokenizer.json')) ? 'tokenizer.json' : 'vocab.json',
  )
  const model = files.tokenizer.model as Json
  if (model?.type !== 'BPE')
    throw usageError(`${where}: a tokenizer of type "${String(model?.type)}" is not exported`, 'BPE alone is')
  const bytes = model.byte_fallback === true
  const { tokens, kinds } = listed(files, model.vocab as Record<string, number>, size, bytes)
  const made = bytes ? sentencePiece(files.tokenizer, tokens, kinds) : byteLevel(files.tokenizer, where)
  const template = tokenizer.chatTemplate
  return {
    tokens,
    kinds,
    entries: [
      text(`${PREFIX}model`, bytes ? 'llama' : 'gpt2'),
      text(`${PREFIX}pre`, made.pre),
      [`${PREFIX}tokens`, { type: 'array', of: 'string', value: tokens }],
      ...made.scores,
      [`${PREFIX}token_type`, { type: 'array', of: 'int32', value: kinds }],
      ...made.merges,
      ...roles(files, tokenizer),
      bool(`${PREFIX}add_bos_token`, tokenizer.addsBos),
      ...(tokenizer.frames.single.after.includes(tokenizer.eosId ?? -1)
        ? [bool(`${PREFIX}add_eos_token`, true)]
        : []),
      ...made.prefix,
      ...(template === undefined ? [] : [text('tokenizer.chat_template', template)]),
    ],
  }
}

const SPACE = '▁'

/** Tokens that look so are not for texts, whatever their tokenizer says. */
const LOOKS_SPECIAL = /^(<pad>|<mask>|<2mass>|\[@BOS@\]|<\|.*\|>|<｜.*｜>|<unused.*>)$/s

function listed(files: TokenizerFiles, vocab: Record<string, number>, size: number, bytes: boolean) {
  const tokens = Array.from({ length: size }, (_, id) => `[PAD${id}]`)
  const kinds: number[] = new Array(size).fill(KIND.unused)
  const unknown = bytes ? (files.tokenizer.model as Json).unk_token : undefined
  const put = (id: number, token: string, kind: number) => {
    if (id >= size)
      throw usageError(
        `${files.dir}: token ${JSON.stringify(token)} has id ${id}, the model ${size} embeddings`,
        'the tokenizer is that of another model',
      )
    tokens[id] = token
    kinds[id] = kind
  }
  for (const [token, id] of Object.entries(vocab))
    put(id, token, bytes && /^<0x[0-9A-F]{2}>$/i.test(token) ? KIND.byte : KIND.normal)
  for (const { id, content, special } of files.added) {
    if (content === unknown) put(id, content, KIND.unknown)
    else if (special || LOOKS_SPECIAL.test(content)) put(id, content, KIND.control)
    else put(id, content.replaceAll(SPACE, ' '), KIND.userDefined)
  }
  return { tokens, kinds }
}

interface Made {
  pre: string
  scores: Entry[]
  merges: Entry[]
  prefix: Entry[]
}

function byteLevel(tokenizer: Json, where: string): Made {
  const { merges } = tokenizer.model as { merges: (string | string[])[] }
  const value = merges.map((merge) =>
    typeof merge === 'string' ? merge : merge.map((part) => part.replaceAll(' ', 'Ġ')).join(' '),
  )
  const addsSpace = JSON.stringify(tokenizer.pre_tokenizer).includes('"add_prefix_space":true')
  return {
    pre: cuttingName(tokenizer, where),
    scores: [],
    merges: [[`${PREFIX}merges`, { type: 'array', of: 'string', value }]],
    prefix: addsSpace ? [bool(`${PREFIX}add_space_prefix`, true)] : [],
  }
}

/** Far below that of any piece, so that such ids come into no text. */
const UNUSED_SCORE = -10_000
const ADDED_SCORE = -1000

/** llama.cpp joins the neighbours that make the piece of the highest score: a piece's score is the rank of its first merge. */
function sentencePiece(tokenizer: Json, tokens: readonly string[], kinds: readonly number[]): Made {
  const { merges } = tokenizer.model as { merges: (string | string[])[] }
  const ranks = new Map<string, number>()
  for (const [rank, merge] of merges.entries()) {
    const piece = typeof merge === 'string' ? merge.replace(' ', '') : merge.join('')
    if (!ranks.has(piece)) ranks.set(piece, rank)
  }
  const scoreOf = (token: string, id: number): number => {
    if (kinds[id] === KIND.unused) return UNUSED_SCORE
    if (kinds[id] === KIND.control || kinds[id] === KIND.userDefined) return ADDED_SCORE
    return kinds[id] === KIND.normal ? -(ranks.get(token) ?? merges.length) : 0
  }
  const parts = JSON.stringify([tokenizer.normalizer, tokenizer.pre_tokenizer])
  const addsSpace = parts.includes('"type":"Prepend"') || /"prepend_scheme":"(always|first)"/.test(parts)
  return {
    pre: 'default',
    scores: [[`${PREFIX}scores`, { type: 'array', of: 'float32', value: tokens.map(scoreOf) }]],
    merges: [],
    prefix: [bool(`${PREFIX}add_space_prefix`, addsSpace)],
  }
}

/** Roles by their names in tokenizer_config.json, and in GGUF. */
const ROLES = {
  bos: 'bos',
  eos: 'eos',
  unk: 'unknown',
  sep: 'seperator',
  pad: 'padding',
  mask: 'mask',
} as const

function roles({ config, model }: TokenizerFiles, tokenizer: TextTokenizer): Entry[] {
  const known: Record<string, number | undefined> = { bos: tokenizer.bosId, eos: tokenizer.eosId }
  return Object.entries(ROLES).flatMap(([role, name]) => {
    const named = config[`${role}_token`]
    const content = typeof named === 'string' ? named : (named as Json | null | undefined)?.content
    const id = tokenizer.specialTokens.get(String(content)) ?? model[`${role}_token_id`] ?? known[role]
    return typeof id === 'number' && id < tokenizer.vocabSize ? [uint(`${PREFIX}${name}_token_id`, id)] : []
  })
}
