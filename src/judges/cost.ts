/** What judging costs: tokens times their prices, estimated before and counted while it runs. */
import type { Message } from '../dialogue.js'

/** For a million tokens. */
export interface Prices {
  prompt: number
  reply: number
}

export interface Tokens {
  prompt: number
  reply: number
}

export const costOf = ({ prompt, reply }: Tokens, prices: Prices): number =>
  (prompt * prices.prompt + reply * prices.reply) / 1e6

/** Bytes of UTF-8 to a token, as the tokenizers of today's models have it for most languages. */
const BYTES_PER_TOKEN = 4
/** Tokens around a message. */
const AROUND = 4

export const estimatedTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN)

/** Tokens of a chat, for want of the judge's own tokenizer. */
export const chatTokens = (messages: readonly Message[]): number =>
  messages.reduce((sum, { content }) => sum + AROUND + estimatedTokens(content), 0)
