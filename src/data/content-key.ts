/** What makes two rows, two pairs or two prompts the same, whatever their ids and places are. */

import type { Prompt } from '../dialogue.js'
import { extrasOf, promptKey } from '../dialogue.js'
import type { AnswerParts, Example } from './example.js'

/** The content of a row: prompt, answers and labels, with who gave them. Equal keys are equal rows. */
export function contentKey({ prompt, candidates, preferences, votes }: Example): string {
  const answers = candidates.map(({ text, reward, desirable, tool_calls, reasoning_content }) => [
    text,
    reward ?? null,
    desirable ?? null,
    ...(tool_calls || reasoning_content ? [tool_calls ?? null, reasoning_content ?? null] : []),
  ])
  const pairs = preferences.map(({ better, worse }) => [better, worse])
  const said = votes?.map(({ better, worse, count, annotator }) => [better, worse, count, annotator ?? null])
  return `${promptKey(prompt)}${JSON.stringify([answers, pairs, ...(said ? [said] : [])])}`
}

/** What makes two answers the same: equal texts with other calls or thoughts are other answers. */
export const answerKey = ({ text, tool_calls, reasoning_content }: AnswerParts): string =>
  JSON.stringify([text, tool_calls ?? null, reasoning_content ?? null])

/**
 * A prompt without case, punctuation and spacing (NFKC), its roles kept: prompts that differ in these alone are one
 * question, and have to stay on one side of a split.
 */
export function canonicalPrompt(prompt: Prompt): string {
  if (typeof prompt === 'string') return bare(prompt)
  return prompt.map((m) => `${m.role}:${bare(m.content)}${JSON.stringify(extrasOf(m)) ?? ''}`).join('\n')
}

function bare(text: string): string {
  const folded = text.normalize('NFKC').toLowerCase()
  const letters = folded.replace(/[^\p{L}\p{N}\p{M}]+/gu, ' ').trim()
  // Of signs alone nothing would be left: they are the text then.
  return letters === '' ? folded.trim() : letters
}
