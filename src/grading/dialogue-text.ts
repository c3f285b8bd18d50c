/** A prompt as a judge reads it: a lone question as it is, a dialogue with its roles. */
import { type Prompt, turnText } from '../dialogue.js'

export function dialogueText(prompt: Prompt): string {
  if (typeof prompt === 'string') return prompt
  if (prompt.length === 1) return turnText(prompt[0])
  return prompt.map((message) => `[${message.role}]\n${turnText(message)}`).join('\n\n')
}
