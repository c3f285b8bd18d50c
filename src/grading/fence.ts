/** Lines around material, with a mark that nobody who wrote the material can know. */
import { createHmac } from 'node:crypto'
import type { Fence } from './types.js'

/**
 * A mark for some texts: a keyed hash, so that the same texts are asked in the same bytes while the key is kept, and
 * nobody without the key can write the mark.
 * @param key random, of the file of replies
 */
export function markOf(key: string, texts: readonly string[]): string {
  for (let n = 0; ; n++) {
    const mark = createHmac('sha256', key)
      .update(JSON.stringify([n, ...texts]))
      .digest('hex')
      .slice(0, 16)
    if (!texts.some((text) => text.includes(mark))) return mark
  }
}

export const fenceWith =
  (mark: string): Fence =>
  (name, text) =>
    `--- ${name} ${mark} ---\n${withoutTokens(text)}\n--- end of ${name} ${mark} ---`

/** What ends a turn in some chat template: a server may read it as such wherever it stands. */
const TURN_TOKENS =
  /<(\|[^|<>\s]{1,40}\|)>|<(\/?s|bos|eos|(?:start|end)_of_turn|｜[^｜<>]{1,40}｜)>|\[(\/?INST|\/?SYSTEM_PROMPT)\]|<<(\/?SYS)>>/g

/** Tokens of chat templates, pulled apart by a space so that no tokenizer takes them for one. */
export const withoutTokens = (text: string): string =>
  text.replace(TURN_TOKENS, (token) => `${token[0]} ${token.slice(1)}`)
