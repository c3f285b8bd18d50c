/** Reading and checking the files of a tokenizer folder. */

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { usageError } from '../errors.js'
import { type Json, readJsonObject } from '../files/json.js'
import { pythonCommand, pythonText } from '../show/shell.js'
import { tokenizerFromVocab } from './vocab-merges.js'

export interface AddedTokenEntry {
  id: number
  content: string
  special: boolean
}

/** What the folder says, before a tokenizer is made of it. */
export interface TokenizerFiles {
  dir: string
  /** tokenizer.json, or what vocab.json and merges.txt make. */
  tokenizer: Json
  added: AddedTokenEntry[]
  /** tokenizer_config.json over special_tokens_map.json; {} where absent. */
  config: Json
  generation: Json
  model: Json
  chatTemplate?: string
}

/** Files that make up a tokenizer; what is there is copied with it. */
export const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'generation_config.json',
  'vocab.json',
  'merges.txt',
  'tokenizer.model',
  'spm.model',
]

/** @throws ClhaError (usage) for a missing or malformed file */
export async function readTokenizerFiles(dir: string): Promise<TokenizerFiles> {
  const special = readIfThere(dir, 'special_tokens_map.json') ?? {}
  const config: Json = { ...special, ...readIfThere(dir, 'tokenizer_config.json') }
  const tokenizer = readIfThere(dir, 'tokenizer.json') ?? (await fromVocab(dir, config))
  return {
    dir,
    tokenizer,
    added: readAdded(dir, tokenizer),
    config,
    generation: readIfThere(dir, 'generation_config.json') ?? {},
    model: readIfThere(dir, 'config.json') ?? {},
    chatTemplate: (await readText(dir, 'chat_template.jinja')) ?? templateOf(config.chat_template),
  }
}

async function fromVocab(dir: string, config: Json): Promise<Json> {
  const vocab = readIfThere(dir, 'vocab.json')
  const merges = await readText(dir, 'merges.txt')
  if (!vocab || merges === undefined) throw noTokenizer(dir)
  const added = readIfThere(dir, 'added_tokens.json') ?? {}
  return tokenizerFromVocab({ dir, vocab, merges, config, added })
}

function noTokenizer(dir: string) {
  const found = ['tokenizer.model', 'spm.model'].find((name) => existsSync(join(dir, name)))
  const folder = pythonText(dir)
  const command = pythonCommand(
    `from transformers import AutoTokenizer as T; T.from_pretrained(${folder}).save_pretrained(${folder})`,
  )
  if (found)
    return usageError(
      `${join(dir, found)}: a SentencePiece model, and no tokenizer.json beside it`,
      `Convert it once (with the Python packages transformers, sentencepiece and protobuf): ${command}`,
    )
  return usageError(
    `${join(dir, 'tokenizer.json')}: no such file`,
    `The folder needs tokenizer.json, or vocab.json with merges.txt. transformers writes it: ${command}`,
  )
}

async function readText(dir: string, name: string): Promise<string | undefined> {
  try {
    return await readFile(join(dir, name), 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw usageError(`${join(dir, name)}: cannot be read: ${message}`)
  }
}

/** What a folder holds under this name; undefined where there is no such file. */
const readIfThere = (dir: string, name: string): Json | undefined =>
  existsSync(join(dir, name)) ? readJsonObject(join(dir, name), 'Fetch the file again.') : undefined

function readAdded(dir: string, tokenizer: Json): AddedTokenEntry[] {
  const list = tokenizer.added_tokens ?? []
  const isEntry = (entry: Json) => Number.isSafeInteger(entry?.id) && typeof entry.content === 'string'
  if (!Array.isArray(list) || !list.every(isEntry)) {
    throw usageError(`${join(dir, 'tokenizer.json')}: added_tokens is malformed`, 'Fetch the file again.')
  }
  return list.map(({ id, content, special }) => ({ id, content, special: special === true }))
}

/** The template itself, or the one named `default` of a list of named ones. */
function templateOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return undefined
  const named = value as { name?: unknown; template?: unknown }[]
  const found = named.find((entry) => entry.name === 'default')?.template
  return typeof found === 'string' ? found : undefined
}
