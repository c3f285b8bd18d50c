/** Small questions about texts that several checks ask. */
import type { Prompt } from '../data/example.js'

/** Characters (code points) of a text. */
export function characters(text: string): number {
  let low = 0
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) low++
  return text.length - low
}

/** Words: runs of anything but white space. Texts in scripts without spaces count as few. */
export const words = (text: string): number => text.match(/\S+/g)?.length ?? 0

/** All text of a prompt, one turn after the other. */
export const promptText = (prompt: Prompt): string =>
  typeof prompt === 'string' ? prompt : prompt.map(({ content }) => content).join('\n')

/** What was asked last: the last user turn, or a literal prompt as it is. */
export function lastQuestion(prompt: Prompt): string {
  if (typeof prompt === 'string') return prompt
  return prompt.findLast(({ role }) => role === 'user')?.content ?? ''
}
