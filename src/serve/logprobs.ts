/** Log-probabilities in OpenAI's two shapes. */
import type { TokenLogprob } from '../generate/logprobs.js'
import type { TextTokenizer } from '../text/tokenizer.js'

/** Some tokens of an answer; `before` is the length of the text that stands before them. */
export type ShapeLogprobs = (
  tokens: readonly TokenLogprob[],
  tokenizer: TextTokenizer,
  before: number,
) => Promise<object>

/** JSON has no infinity. */
const finite = (logprob: number) => Math.max(logprob, -9999)

const textOf = (tokenizer: TextTokenizer, id: number) => tokenizer.decode([id], { keepSpecial: true })

export const chatLogprobs: ShapeLogprobs = async (tokens, tokenizer) => {
  const entry = async ({ id, logprob }: { id: number; logprob: number }) => {
    const token = await textOf(tokenizer, id)
    // Half a character has bytes of its own, which its text does not tell.
    const bytes = token.includes('\ufffd') ? null : [...Buffer.from(token, 'utf8')]
    return { token, logprob: finite(logprob), bytes }
  }
  const content = tokens.map(async (token) => ({
    ...(await entry(token)),
    top_logprobs: await Promise.all(token.top.map(entry)),
  }))
  return { content: await Promise.all(content), refusal: null }
}

export const completionLogprobs: ShapeLogprobs = async (tokens, tokenizer, before) => {
  const texts = await Promise.all(tokens.map(({ id }) => textOf(tokenizer, id)))
  const tops = tokens.map(async ({ top }) => {
    const named = top.map(async ({ id, logprob }) => [await textOf(tokenizer, id), finite(logprob)])
    return Object.fromEntries(await Promise.all(named)) as Record<string, number>
  })
  let at = before
  const text_offset = texts.map((text) => {
    at += text.length
    return at - text.length
  })
  return {
    tokens: texts,
    token_logprobs: tokens.map(({ logprob }) => finite(logprob)),
    top_logprobs: await Promise.all(tops),
    text_offset,
  }
}
