/** Which parts of a rendered dialogue the assistant said: those are trained on. */
import type { Message } from '../dialogue.js'
import { usageError } from '../errors.js'
import { type ChatTemplate, trainedTexts } from './chat-template.js'
import type { Span } from './render-template.js'
import type { TokenizedText } from './tokenized-text.js'

/**
 * The assistant's parts of a dialogue, start and end (exclusive) in UTF-16 units of `text`: what `{% generation %}` blocks
 * enclose, else what each assistant turn adds to its generation prompt, end token included.
 * @throws ClhaError (usage) when the template changes earlier turns as the dialogue goes on, or refuses the dialogue
 * @example
 * ```ts
 * const template = await chatTemplate(await loadTokenizer('model'), 'chatml')
 * const { text, spans } = assistantSpans(template, [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: 'Yes?' }])
 * text.slice(...spans[0]).startsWith('Yes?') // true
 * ```
 */
export function assistantSpans(
  template: ChatTemplate,
  messages: readonly Message[],
): { text: string; spans: Span[] } {
  if (template.generated) return template.generated(messages)
  const text = template.render(messages)
  const spans: Span[] = []
  messages.forEach((message, i) => {
    if (message.role !== 'assistant') return
    const before = messages.slice(0, i)
    const first = { prompt: '', answers: [i === 0 ? template.render(messages.slice(0, 1)) : ''] }
    const { prompt, answers } = i === 0 ? first : trainedTexts(template, before, [message])
    const [turn] = answers
    if (!text.startsWith(prompt + turn)) throw changing(template, i)
    const end = prompt.length + turn.length
    const marker = template.endToken ?? ''
    spans.push([prompt.length, text.startsWith(marker, end) ? end + marker.length : end])
  })
  return { text, spans }
}

const changing = ({ name }: ChatTemplate, turn: number) =>
  usageError(
    `the chat template (${name}) writes turn ${turn + 1} in another way when the dialogue goes on, so its place is unknown`,
    'Mark the answers in the template with {% generation %} … {% endgeneration %}.',
  )

/**
 * The tokens of the spans, one entry per token, as transformers marks them: from the token with a span's first character
 * to the first token with its last one (of a last character that is split, the further tokens are left out).
 */
export function assistantMask({ starts, ends }: TokenizedText, spans: readonly Span[]): boolean[] {
  const mask = new Array<boolean>(starts.length).fill(false)
  const tokenAt = (place: number) => starts.findIndex((start, i) => start <= place && ends[i] > place)
  for (const [from, to] of spans) {
    const first = tokenAt(from)
    if (first < 0) break
    const last = tokenAt(to - 1)
    mask.fill(true, first, last < 0 ? mask.length : last + 1)
  }
  return mask
}
