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
  // Files of the first years name no type.
  const type = model.type ?? (Array.isArray(model.merges) ? 'BPE' : undefined)
  if (type !== 'BPE')
    throw usageError(`${where}: a tokenizer of type "${String(type)}" is not exported`, 'BPE alone is')
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
      ...framed(tokenizer, files.tokenizer),
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
  const kindOf = (token: string) => {
    if (bytes && /^<0x[0-9A-F]{2}>$/i.test(token)) return KIND.byte
    return token === unknown ? KIND.unknown : KIND.normal
  }
  for (const [token, id] of Object.entries(vocab)) put(id, token, kindOf(token))
  for (const { id, content, special } of files.added) {
    if (special || LOOKS_SPECIAL.test(content)) put(id, content, KIND.control)
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

/**
 * llama.cpp joins the neighbours that make the piece of the highest score. Scores are those of SentencePiece's own training: the
 * place of a piece among those that merges make, in the order of the merges; then come those that nothing makes.
 */
function sentencePiece(tokenizer: Json, tokens: readonly string[], kinds: readonly number[]): Made {
  const { merges } = tokenizer.model as { merges: (string | string[])[] }
  const places = new Map<string, number>()
  const place = (piece: string): number => {
    const found = places.get(piece) ?? places.size
    places.set(piece, found)
    return found
  }
  for (const merge of merges) place(typeof merge === 'string' ? merge.replace(' ', '') : merge.join(''))
  const scoreOf = (token: string, id: number): number => {
    if (kinds[id] === KIND.unused) return UNUSED_SCORE
    if (kinds[id] === KIND.control || kinds[id] === KIND.userDefined) return ADDED_SCORE
    return kinds[id] === KIND.normal ? 0 - place(token) : 0
  }
  const parts = JSON.stringify([tokenizer.normalizer, tokenizer.pre_tokenizer])
  const addsSpace = parts.includes('"type":"Prepend"') || /"prepend_scheme":"(always|first)"/.test(parts)
  return {
    pre: 'default',
    scores: [[`${PREFIX}scores`, { type: 'array', of: 'float32', value: tokens.map(scoreOf) }]],
    merges: [],
    prefix: addsSpace ? [] : [bool(`${PREFIX}add_space_prefix`, false)],
  }
}

/** What is put around a text, and between two: said even where it is llama.cpp's default. */
function framed({ addsBos, eosId, tokenText, frames: { single } }: TextTokenizer, tokenizer: Json): Entry[] {
  const addsEos = eosId !== undefined && single.after.includes(eosId)
  const between = betweenPair(tokenizer.post_processor as Json | null)
  const separates = !addsEos && eosId !== undefined && between === tokenText(eosId)
  return [
    bool(`${PREFIX}add_bos_token`, addsBos),
    bool(`${PREFIX}add_eos_token`, addsEos),
    ...(between === undefined ? [] : [bool(`${PREFIX}add_sep_token`, separates)]),
  ]
}

/** The first special token between two texts. */
function betweenPair(processor: Json | null): string | undefined {
  const all = (processor?.processors ?? (processor ? [processor] : [])) as Json[]
  const pair = all.find(({ type }) => type === 'TemplateProcessing')?.pair as Json[] | undefined
  const first = pair?.findIndex((piece) => piece.Sequence !== undefined) ?? -1
  return (pair?.[first + 1]?.SpecialToken as { id: string } | undefined)?.id
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

function roles({ config, model, added }: TokenizerFiles, tokenizer: TextTokenizer): Entry[] {
  const known: Record<string, number | undefined> = { bos: tokenizer.bosId, eos: tokenizer.eosId }
  return Object.entries(ROLES).flatMap(([role, name]) => {
    const named = config[`${role}_token`]
    const content = typeof named === 'string' ? named : (named as Json | null | undefined)?.content
    const id =
      added.find((token) => token.content === content)?.id ?? model[`${role}_token_id`] ?? known[role]
    return typeof id === 'number' && id < tokenizer.vocabSize ? [uint(`${PREFIX}${name}_token_id`, id)] : []
  })
}
