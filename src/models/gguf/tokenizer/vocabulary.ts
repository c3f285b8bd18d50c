/** The vocabulary in a GGUF file: texts, kinds, merges or scores, and the ids with a role. */
import { usageError } from '../../../errors.js'
import type { GgufMetadata } from '../format/gguf-metadata.js'

/** Kinds of tokens, with the numbers of `tokenizer.ggml.token_type`. */
export const KIND = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

export interface GgufVocabulary {
  /** `gpt2`: byte-level with merges; `llama`: SentencePiece with scores. */
  model: 'gpt2' | 'llama'
  /** Name of the cutting before the merges. */
  pre: string | undefined
  tokens: string[]
  kinds: number[]
  merges: string[]
  scores: number[]
  bos?: number
  eos?: number
  unknown?: number
  padding?: number
  /** Other ids that end an answer: end of turn, end of message. */
  ends: number[]
  addBos?: boolean
  addEos?: boolean
  addSpacePrefix?: boolean
  chatTemplate?: string
  /** Templates by name; `default` is the one above. */
  namedTemplates: Record<string, string>
}

const PREFIX = 'tokenizer.ggml.'

/** Ids for filling in the middle of a text and for classifiers: nothing is computed from them. */
const OTHER_ROLES =
  'prefix suffix middle fim_pre fim_suf fim_mid fim_pad fim_rep fim_sep seperator separator cls mask'.split(
    ' ',
  )

/** @param size rows of the embedding: no id may be beyond. @throws ClhaError (exit 2) naming the key */
export function readVocabulary(read: GgufMetadata, size: number): GgufVocabulary {
  const key = (name: string) => PREFIX + name
  const model = read.text(key('model'))
  if (model !== 'gpt2' && model !== 'llama')
    throw usageError(
      `${read.where}: "${key('model')}": "${model}" is not read`,
      'read are "gpt2" (byte-level merges) and "llama" (SentencePiece with scores)',
    )
  const tokens = read.texts(key('tokens'))
  if (!tokens || tokens.length > size) throw read.wrong(key('tokens'), `a list of at most ${size} texts`)
  const list = <T>(name: string, found: T[] | undefined, otherwise: T): T[] => {
    if (found && found.length !== tokens.length) throw read.wrong(key(name), `a list of ${tokens.length}`)
    return found ?? tokens.map(() => otherwise)
  }
  const id = (role: string): number | undefined => {
    const value = read.optionalId(key(`${role}_token_id`))
    if (value !== undefined && value >= tokens.length)
      throw read.wrong(key(`${role}_token_id`), `below ${tokens.length}`)
    return value
  }
  const flag = (name: string) => (read.has(key(name)) ? read.flag(key(name), false) : undefined)
  read.ignore(
    ...OTHER_ROLES.map((role) => key(`${role}_token_id`)),
    key('remove_extra_whitespaces'),
    key('add_sep_token'),
  )
  const found: GgufVocabulary = {
    model,
    pre: read.optionalText(key('pre')),
    tokens,
    kinds: list('token_type', read.numbers(key('token_type')), KIND.normal),
    scores: list('scores', read.numbers(key('scores')), 0),
    merges: read.texts(key('merges')) ?? [],
    bos: id('bos'),
    eos: id('eos'),
    unknown: id('unknown'),
    padding: id('padding'),
    ends: [id('eot'), id('eom')].filter((end) => end !== undefined),
    addBos: flag('add_bos_token'),
    addEos: flag('add_eos_token'),
    addSpacePrefix: flag('add_space_prefix'),
    ...templates(read),
  }
  requireDistinct(found, read)
  read.refuseUnread('tokenizer.')
  return found
}

function templates(read: GgufMetadata): Pick<GgufVocabulary, 'chatTemplate' | 'namedTemplates'> {
  const names = read.texts('tokenizer.chat_templates') ?? []
  const named = names.flatMap((name) => {
    const text = read.optionalText(`tokenizer.chat_template.${name}`)
    return text === undefined ? [] : [[name, text] as const]
  })
  read.ignore('tokenizer.huggingface.json', 'tokenizer.rwkv.world')
  return {
    chatTemplate: read.optionalText('tokenizer.chat_template'),
    namedTemplates: Object.fromEntries(named),
  }
}

/** tokenizer.json keeps ids by text. */
function requireDistinct({ tokens, kinds }: GgufVocabulary, read: GgufMetadata): void {
  const seen = new Map<string, number>()
  for (const [id, token] of tokens.entries()) {
    if (kinds[id] === KIND.unused) continue
    const before = seen.get(token)
    if (before !== undefined)
      throw usageError(
        `${read.where}: tokens ${before} and ${id} have one text, ${JSON.stringify(token.slice(0, 40))}`,
        'a tokenizer.json, which is made of it, holds one id for each text',
      )
    seen.set(token, id)
  }
}
