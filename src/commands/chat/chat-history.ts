/** What of a dialogue still fits the context. */
import { encodePrompts } from '../../data/encode/encode.js'
import type { Message } from '../../dialogue.js'
import type { LanguageModel } from '../../load/language-model.js'

/**
 * The dialogue without its oldest turns, so that `room` tokens hold it. The last message always stays, and so do a
 * system message and an order in which the user speaks first.
 */
export async function fitHistory(
  lm: LanguageModel,
  messages: readonly Message[],
  room: number,
): Promise<Message[]> {
  const system = messages.filter(({ role }) => role === 'system')
  let turns = messages.filter(({ role }) => role !== 'system')
  while (turns.length > 1 && (await tokensOf(lm, [...system, ...turns])) > room) turns = withoutOldest(turns)
  return [...system, ...turns]
}

async function tokensOf({ tokenizer, template }: LanguageModel, messages: Message[]): Promise<number> {
  const { ids } = await encodePrompts([messages], tokenizer, template, {
    maxPromptLength: Number.POSITIVE_INFINITY,
  })
  return ids[0].length
}

function withoutOldest(turns: readonly Message[]): Message[] {
  const next = turns.findIndex(({ role }, i) => i > 0 && role === 'user')
  return turns.slice(next > 0 ? next : -1)
}
