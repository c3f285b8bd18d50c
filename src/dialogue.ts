/** What is said: messages, and the prompts that they make. */
import { sha256 } from './files/digest.js'

export const ROLES = ['system', 'user', 'assistant', 'tool'] as const

export type Role = (typeof ROLES)[number]

/** A call of a tool, as the data has it; OpenAI's form is `{ id, type, function: { name, arguments } }`. */
export type ToolCall = Readonly<Record<string, unknown>>

/** What a tool is called and takes: a JSON schema, as the data has it. */
export type Tool = Readonly<Record<string, unknown>>

export interface Message {
  role: Role
  content: string
  /** Calls that an assistant makes in this turn. */
  tool_calls?: readonly ToolCall[]
  /** The call that a tool's turn answers. */
  tool_call_id?: string
  /** Who speaks; of a tool's turn, the tool. */
  name?: string
  /** What an assistant thought before it spoke. */
  reasoning_content?: string
  /** Tools that may be called in the whole dialogue; they stand at its first message alone. */
  tools?: readonly Tool[]
}

/** What a turn may have besides its role and content, in the order in which it is written. */
export const MESSAGE_EXTRAS = ['name', 'reasoning_content', 'tool_calls', 'tool_call_id', 'tools'] as const

/** What a message has besides role and content; undefined where it has nothing more. */
export function extrasOf(message: Message): Partial<Message> | undefined {
  const found = MESSAGE_EXTRAS.filter((key) => message[key] !== undefined)
  return found.length === 0 ? undefined : Object.fromEntries(found.map((key) => [key, message[key]]))
}

/** The tools of a dialogue, and its messages without them. */
export function splitTools(messages: readonly Message[]): { tools?: readonly Tool[]; messages: Message[] } {
  const tools = messages.find((message) => message.tools)?.tools
  return { tools, messages: messages.map(({ tools: _, ...message }) => message) }
}

/** A dialogue that ends where the assistant has to speak, or literal text that the model continues. */
export type Prompt = readonly Message[] | string

/**
 * What makes two prompts the same: splits, folds and caches go by it, so that no prompt leaks across them.
 * @returns SHA-256 (hex) of the prompt in a canonical form
 */
export function promptKey(prompt: Prompt): string {
  const canonical =
    typeof prompt === 'string'
      ? prompt
      : prompt.map((m) => [m.role, m.content, ...[extrasOf(m) ?? []].flat()])
  return sha256(JSON.stringify(canonical))
}

/** A prompt for people to read: a lone question as it is, a dialogue with its roles. */
export function promptText(prompt: Prompt): string {
  if (typeof prompt === 'string') return prompt
  if (prompt.length === 1 && !extrasOf(prompt[0])) return prompt[0].content
  return prompt.map((message) => `${message.role}: ${turnText(message)}`).join('\n\n')
}

/** A turn for people to read: what was thought, said and called. */
export function turnText({ content, reasoning_content, tool_calls }: Partial<Message>): string {
  const parts = [
    reasoning_content && `(${reasoning_content})`,
    content,
    tool_calls && JSON.stringify(tool_calls),
  ]
  return parts.filter(Boolean).join('\n')
}

/** What was said in a prompt, one turn after the other, without the roles. */
export const saidIn = (prompt: Prompt): string =>
  typeof prompt === 'string' ? prompt : prompt.map(({ content }) => content).join('\n')

/** What was asked last: the last user turn, or a literal prompt as it is. */
export function lastQuestion(prompt: Prompt): string {
  if (typeof prompt === 'string') return prompt
  return prompt.findLast(({ role }) => role === 'user')?.content ?? ''
}
