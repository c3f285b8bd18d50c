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
  /** generation_config.json; {} where absent. */
  generation: Json
  /** Where that lies. */
  generationDir: string
  model: Json
  chatTemplate?: string
  /** Why the template in the files can't be used. */
  chatTemplateFault?: string
}

export const GENERATION_CONFIG = 'generation_config.json'

/** Files that make up a tokenizer; what is there is copied with it. */
export const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
  GENERATION_CONFIG,
  'vocab.json',
  'merges.txt',
  'tokenizer.model',
  'spm.model',
]

/**
 * @param base of the model, whose generation_config.json and config.json hold where `dir` has none
 * @throws ClhaError (usage) for a missing or malformed file
 */
export async function readTokenizerFiles(dir: string, base = dir): Promise<TokenizerFiles> {
  const special = readIfThere(dir, 'special_tokens_map.json') ?? {}
  const config: Json = { ...special, ...readIfThere(dir, 'tokenizer_config.json') }
  const tokenizer = readIfThere(dir, 'tokenizer.json') ?? (await fromVocab(dir, config))
  const generationDir = holderOf(GENERATION_CONFIG, dir, base)
  return {
    dir,
    tokenizer,
    added: readAdded(dir, tokenizer),
    config,
    generation: readIfThere(generationDir, GENERATION_CONFIG) ?? {},
    generationDir,
    model: readIfThere(holderOf('config.json', dir, base), 'config.json') ?? {},
    ...(await chatTemplateOf(dir, config)),
  }
}

/** The folder of a model's file: the tokenizer's own, else that of its base. */
export const holderOf = (name: string, dir: string, base: string): string =>
  existsSync(join(dir, name)) || !existsSync(join(base, name)) ? dir : base

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

/** chat_template.jinja, else that of tokenizer_config.json, else the file that processors have. */
async function chatTemplateOf(
  dir: string,
  config: Json,
): Promise<Pick<TokenizerFiles, 'chatTemplate' | 'chatTemplateFault'>> {
  const file = await readText(dir, 'chat_template.jinja')
  if (file !== undefined) return { chatTemplate: file }
  if (config.chat_template !== undefined && config.chat_template !== null)
    return templateOf(config.chat_template, join(dir, 'tokenizer_config.json'))
  return templateOf(readIfThere(dir, 'chat_template.json')?.chat_template, join(dir, 'chat_template.json'))
}

/** The template itself, or the one named `default` of several: a list of {name, template}, or a mapping. */
function templateOf(
  value: unknown,
  file: string,
): Pick<TokenizerFiles, 'chatTemplate' | 'chatTemplateFault'> {
  if (value === undefined || value === null) return {}
  if (typeof value === 'string') return { chatTemplate: value }
  const named = namedTemplates(value)
  if (!named) return { chatTemplateFault: `${file}: chat_template is neither a text nor named texts` }
  const found = named.get('default')
  if (found !== undefined) return { chatTemplate: found }
  const names = [...named.keys()].join(', ') || 'none'
  return {
    chatTemplateFault: `${file}: chat_template has several templates and none is named default: ${names}`,
  }
}

function namedTemplates(value: unknown): Map<string, string> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const entries: unknown[][] = Array.isArray(value)
    ? value.map((entry: Json | null) => [entry?.name, entry?.template])
    : Object.entries(value)
  const fits = (entry: unknown[]): entry is [string, string] =>
    entry.every((part) => typeof part === 'string')
  return entries.every(fits) ? new Map(entries) : undefined
}
