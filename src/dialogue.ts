/** What is said: messages, and the prompts that they make. */
import { sha256 } from './files/digest.js'

export const ROLES = ['system', 'user', 'assistant', 'tool'] as const

export type Role = (typeof ROLES)[number]

export interface Message {
  role: Role
  content: string
}

/** A dialogue that ends where the assistant has to speak, or literal text that the model continues. */
export type Prompt = readonly Message[] | string

/**
 * What makes two prompts the same: splits, folds and caches go by it, so that no prompt leaks across them.
 * @returns SHA-256 (hex) of the prompt in a canonical form
 */
export function promptKey(prompt: Prompt): string {
  const canonical = typeof prompt === 'string' ? prompt : prompt.map((m) => [m.role, m.content])
  return sha256(JSON.stringify(canonical))
}

/** A prompt for people to read: a lone question as it is, a dialogue with its roles. */
export function promptText(prompt: Prompt): string {
  if (typeof prompt === 'string') return prompt
  if (prompt.length === 1) return prompt[0].content
  return prompt.map(({ role, content }) => `${role}: ${content}`).join('\n\n')
}

/** What was said in a prompt, one turn after the other, without the roles. */
export const saidIn = (prompt: Prompt): string =>
  typeof prompt === 'string' ? prompt : prompt.map(({ content }) => content).join('\n')

/** What was asked last: the last user turn, or a literal prompt as it is. */
export function lastQuestion(prompt: Prompt): string {
  if (typeof prompt === 'string') return prompt
  return prompt.findLast(({ role }) => role === 'user')?.content ?? ''
}
