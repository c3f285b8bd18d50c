/** Which ids begin, end and pad a text, from all the places that may say so. */
import { join } from 'node:path'
import { usageError } from '../errors.js'
import type { Json } from '../files/json.js'
import { specialFrames } from './special-frames.js'
import type { TokenizerFiles } from './tokenizer-files.js'

export interface SpecialIds {
  eosId?: number
  bosId?: number
  padId?: number
  /** Ids at which generation stops: EOS and those of generation_config.json, else of config.json. */
  stopIds: number[]
  /** The tokenizer itself puts BOS in front of a text. */
  addsBos: boolean
}

/** Names that end a text in well-known families, for a folder with tokenizer.json alone. */
const USUAL_EOS = ['</s>', '<|endoftext|>', '<|end_of_text|>', '<eos>']

type TokenToId = (token: string) => number | null | undefined

/** @throws ClhaError (usage) when a configured BOS or EOS is not in the vocabulary */
export function specialIds(files: TokenizerFiles, tokenToId: TokenToId, vocabSize: number): SpecialIds {
  const { config, generation, model } = files
  const ids = (key: string) =>
    [...idList(generation[key]), ...idList(model[key])].filter((id) => id < vocabSize)
  const eosId =
    named(files, 'eos_token', tokenToId) ??
    ids('eos_token_id')[0] ??
    usualEos(tokenToId, Object.keys(config).length)
  const bosId = named(files, 'bos_token', tokenToId) ?? ids('bos_token_id')[0]
  const pad = tokenText(config.pad_token)
  const padId = (pad === undefined ? undefined : tokenToId(pad)) ?? undefined
  const ends = generation.eos_token_id === undefined ? ids('eos_token_id') : idList(generation.eos_token_id)
  const stops = [...ends, ...(eosId === undefined ? [] : [eosId])]
  return {
    eosId,
    bosId,
    padId,
    stopIds: [...new Set(stops)],
    addsBos: bosId !== undefined && addsToken(files, bosId),
  }
}

function named(
  files: TokenizerFiles,
  key: 'eos_token' | 'bos_token',
  tokenToId: TokenToId,
): number | undefined {
  const text = tokenText(files.config[key])
  if (text === undefined) return undefined
  const id = tokenToId(text)
  if (id !== null && id !== undefined) return id
  const where = join(files.dir, 'tokenizer_config.json')
  throw usageError(
    `${where}: ${key} is ${JSON.stringify(text)}, which is not in the vocabulary`,
    'Correct the name.',
  )
}

/** A token is written as a string or as an object with `content`. */
function tokenText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  const content = (value as Json | null | undefined)?.content
  return typeof content === 'string' ? content : undefined
}

function idList(value: unknown): number[] {
  const list = Array.isArray(value) ? value : [value]
  return list.filter((id): id is number => Number.isSafeInteger(id) && id >= 0)
}

function usualEos(tokenToId: TokenToId, configKeys: number): number | undefined {
  if (configKeys > 0) return undefined
  for (const token of USUAL_EOS) {
    const id = tokenToId(token)
    if (id !== null && id !== undefined) return id
  }
  return undefined
}

/** `add_bos_token` decides where it stands; else whether the post-processor puts the token first. */
function addsToken(files: TokenizerFiles, bosId: number): boolean {
  const explicit = files.config.add_bos_token
  if (typeof explicit === 'boolean') return explicit
  return specialFrames(files.tokenizer.post_processor as Json | null).single.before.includes(bosId)
}

const ROLES = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token']

/**
 * The special tokens that the folder names, as transformers gives them to a template; without a tokenizer_config.json,
 * the BOS and EOS that other files tell.
 */
export function namedTokens(
  { config }: TokenizerFiles,
  { bosId, eosId }: SpecialIds,
  textOf: (id: number) => string | undefined,
): Record<string, string> {
  const named = ROLES.flatMap((role) => {
    const text = tokenText(config[role])
    return text === undefined ? [] : [[role, text] as const]
  })
  if (Object.keys(config).length > 0) return Object.fromEntries(named)
  const known = Object.entries({ bos_token: bosId, eos_token: eosId }).flatMap(([role, id]) => {
    const text = id === undefined ? undefined : textOf(id)
    return text === undefined ? [] : [[role, text] as const]
  })
  return Object.fromEntries(known)
}
