/** Tokenizer folders and recorded texts that lie beside the repository, where they are at hand. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { loadTokenizer, type TextTokenizer } from '../../src/text/tokenizer.js'
import { tempFolder } from './tiny-tokenizer.js'

const TOKENIZERS = fileURLToPath(new URL('../../../shared/data/tokenizers', import.meta.url))

export const hasTokenizer = (name: string): boolean => existsSync(join(TOKENIZERS, name))

/** Qwen2 lies there as vocab.json and merges.txt alone; this is what its tokenizer_config.json says. */
const QWEN2 = {
  tokenizer_class: 'Qwen2Tokenizer',
  eos_token: '<|endoftext|>',
  additional_special_tokens: ['<|im_start|>', '<|im_end|>'],
}

/** A tokenizer of Python's libraries, unpacked into a folder of its own. */
export async function recordedTokenizer(name: string): Promise<TextTokenizer> {
  const dir = tempFolder(`recorded-${name}`)
  for (const file of readdirSync(join(TOKENIZERS, name)))
    writeFileSync(join(dir, file.replace('.gz', '')), gunzipSync(readFileSync(join(TOKENIZERS, name, file))))
  if (name === 'qwen2') writeFileSync(join(dir, 'tokenizer_config.json'), JSON.stringify(QWEN2))
  return loadTokenizer(dir)
}
