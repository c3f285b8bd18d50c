/** A byte-level BPE with a handful of merges, written as a Hugging Face folder. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { byteLevelAlphabet } from 'tokenizers'

export interface TinyOptions {
  merges?: [string, string][]
  special?: string[]
  config?: Record<string, unknown>
  postProcessor?: unknown
  chatTemplate?: string
  files?: Record<string, string>
}

/** Ids: the 256 bytes (in alphabet order), then the merges, then the special tokens. Returns the folder. */
export function writeTinyTokenizer(options: TinyOptions = {}): string {
  const merges = options.merges ?? []
  const tokens = [...byteLevelAlphabet().sort(), ...merges.map(([a, b]) => a + b)]
  const special = options.special ?? ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<s>']
  const added = special.map((content, i) => ({
    id: tokens.length + i,
    content,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  }))
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: options.postProcessor ?? byteLevel,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(tokens.map((token, i) => [token, i])),
      merges: merges.map(([a, b]) => `${a} ${b}`),
    },
  }
  const config = { eos_token: '<|endoftext|>', ...options.config }
  const dir = tempFolder('tokenizer')
  const files = { 'tokenizer.json': JSON.stringify(tokenizer), ...options.files }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  writeFileSync(join(dir, 'tokenizer_config.json'), JSON.stringify(config))
  if (options.chatTemplate) writeFileSync(join(dir, 'chat_template.jinja'), options.chatTemplate)
  return dir
}

/** A fresh folder that the system cleans up. */
export function tempFolder(name: string, ...inside: string[]): string {
  const dir = join(mkdtempSync(join(tmpdir(), `clha-${name}-`)), ...inside)
  mkdirSync(dir, { recursive: true })
  return dir
}
