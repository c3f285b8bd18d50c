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

/** @param first the token begins its answer: SentencePiece's tokenizers take a leading space off there, and there alone */
async function textOf(tokenizer: TextTokenizer, id: number, first: boolean): Promise<string> {
  const decode = (ids: number[]) => tokenizer.decode(ids, { keepSpecial: true })
  const alone = await decode([id])
  return first ? alone : (await decode([id, id])).slice(alone.length)
}

const isFirst = (before: number, i: number): boolean => before === 0 && i === 0

export const chatLogprobs: ShapeLogprobs = async (tokens, tokenizer, before) => {
  const entry = async ({ id, logprob }: { id: number; logprob: number }, first: boolean) => {
    const token = await textOf(tokenizer, id, first)
    // Half a character has bytes of its own, which its text does not tell.
    const bytes = token.includes('\ufffd') ? null : [...Buffer.from(token, 'utf8')]
    return { token, logprob: finite(logprob), bytes }
  }
  const content = tokens.map(async (token, i) => {
    const top_logprobs = await Promise.all(token.top.map((other) => entry(other, isFirst(before, i))))
    return { ...(await entry(token, isFirst(before, i))), top_logprobs }
  })
  return { content: await Promise.all(content), refusal: null }
}

export const completionLogprobs: ShapeLogprobs = async (tokens, tokenizer, before) => {
  const texts = await Promise.all(tokens.map(({ id }, i) => textOf(tokenizer, id, isFirst(before, i))))
  const tops = tokens.map(async ({ top, ...chosen }, i) => {
    const named = [...top, chosen].map(
      async ({ id, logprob }) => [await textOf(tokenizer, id, isFirst(before, i)), finite(logprob)] as const,
    )
    const falling = (await Promise.all(named)).sort(([, a], [, b]) => b - a)
    // Ids that have one text share its key: the likeliest has it.
    const isFirstOf = ([text]: readonly [string, number], k: number) =>
      falling.findIndex(([other]) => other === text) === k
    return Object.fromEntries(falling.filter(isFirstOf))
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
