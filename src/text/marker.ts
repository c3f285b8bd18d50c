/** A template whose prompts end in a marker: how a model is asked that was trained to answer behind one. */
import type { ChatTemplate } from './template.js'

/** Templates that carry a marker already. */
const marked = new WeakSet<ChatTemplate>()

export const hasMarker = (template: ChatTemplate): boolean => marked.has(template)

/** The template whose prompts end in a marker; answers begin with a space. */
export function withMarker(template: ChatTemplate, marker: string): ChatTemplate {
  const wrapped: ChatTemplate = {
    ...template,
    // The marker stands behind the generation prompt: prompt and answer are these two.
    trained: undefined,
    prompt: (prompt) => template.prompt(prompt) + marker,
    answer: (given, prompt) => {
      const answer = template.answer(given, prompt)
      return /^\s/.test(answer) ? answer : ` ${answer}`
    },
  }
  marked.add(wrapped)
  return wrapped
}
