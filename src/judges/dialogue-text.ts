/** A prompt as a judge reads it: a lone question as it is, a dialogue with its roles. */
import { type Prompt, promptText } from '../dialogue.js'

export const dialogueText = (prompt: Prompt): string =>
  typeof prompt === 'string' || prompt.length === 1
    ? promptText(prompt)
    : prompt.map((message) => `[${message.role}]\n${promptText([message])}`).join('\n\n')
