/** Prompts to token ids: nothing is cut, and what can't fit is refused before all of it is read. */
import { encodePrompts } from '../data/encode/encode.js'
import type { Prompt } from '../dialogue.js'
import type { ChatTemplate } from '../text/template.js'
import type { TextTokenizer } from '../text/tokenizer.js'
import { ApiError, badRequest } from './api-error.js'

/** Characters from which on a text is read piece by piece before it is read as a whole, and those of a piece. */
export const LONG = 2 ** 16
/** Tokens that a text may have fewer than its pieces: they were parted within a word or a run of spaces. */
const SEAM = 256

export interface Reader {
  tokenizer: TextTokenizer
  template: ChatTemplate
  /** Tokens of prompt and answer. */
  contextLength: number
}

/**
 * One prompt after the other, so that a client that leaves ends it.
 * @param fits is told the tokens of a prompt: throws where they are too many
 */
export async function encodeAll(
  prompts: readonly Prompt[],
  { tokenizer, template, contextLength }: Reader,
  { signal, fits }: { signal: AbortSignal; fits(tokens: number): void },
): Promise<Int32Array[]> {
  const all: Int32Array[] = []
  for (const prompt of prompts) {
    requireStaying(signal)
    if (charactersOf(prompt) > LONG) {
      await requireLength(template.prompt(prompt), { tokenizer, template, contextLength }, signal)
    }
    const { ids } = await encodePrompts([prompt], tokenizer, template, {
      maxPromptLength: Number.MAX_SAFE_INTEGER,
    })
    fits(ids[0].length)
    all.push(ids[0])
  }
  return all
}

const charactersOf = (prompt: Prompt): number =>
  typeof prompt === 'string' ? prompt.length : prompt.reduce((sum, { content }) => sum + content.length, 0)

/**
 * Reads a long text piece by piece, and no further than it may be long.
 * @throws ApiError 400 where it is longer than the context for certain
 */
export async function requireLength(
  text: string,
  { tokenizer, contextLength }: Reader,
  signal: AbortSignal,
): Promise<void> {
  let tokens = 0
  for (let at = 0; at < text.length; at += LONG) {
    requireStaying(signal)
    const found = (await tokenizer.encode(text.slice(at, at + LONG))).ids.length
    tokens += Math.max(0, found - SEAM)
    if (tokens > contextLength) {
      const first = `the first ${Math.min(at + LONG, text.length)} of ${text.length} characters`
      throw badRequest(`${first} do not fit into the context of ${contextLength}`, 'max_tokens')
    }
  }
}

export function requireStaying(signal: AbortSignal): void {
  if (signal.aborted) throw new ApiError(503, 'the request was given up')
}
