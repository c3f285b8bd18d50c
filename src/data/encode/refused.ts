/** Examples that a chat template can't write: it raises an error, or leaves out what they hold. */
import type { Message } from '../../dialogue.js'
import { type ChatTemplate, isRefusal } from '../../text/template.js'
import { type Example, turnOf } from '../example.js'

export interface Refused {
  code: 'template_refuses' | 'template_leaves_out'
  reason: string
}

/** Why the template can't write an example; `write` writes it. @throws what is no refusal of this example alone */
export function refusalOf(example: Example, template: ChatTemplate, write: () => void): Refused | undefined {
  try {
    write()
    const lost = leftOut(example, template)
    const reason = `the chat template (${template.name}) leaves out ${lost}: name one that writes them`
    return lost ? { code: 'template_leaves_out', reason } : undefined
  } catch (error) {
    if (!isRefusal(error)) throw error
    return { code: 'template_refuses', reason: error.message }
  }
}

type Part = 'tools' | 'tool_calls' | 'reasoning_content'

const WORDS: Record<Part, string> = {
  tools: 'the tools',
  tool_calls: 'tool calls',
  reasoning_content: 'the reasoning',
}

/** The first part of an example that makes no difference to what the template writes. */
export function leftOut(
  { prompt, candidates }: Pick<Example, 'prompt' | 'candidates'>,
  template: ChatTemplate,
): string | undefined {
  const turns = candidates.map(turnOf)
  if (typeof prompt === 'string') {
    const held = turns.find((turn) => turn.tool_calls ?? turn.reasoning_content)
    return held && (held.tool_calls ? WORDS.tool_calls : WORDS.reasoning_content)
  }
  const parts = Object.keys(WORDS) as Part[]
  const lost = parts.find((part) => {
    if (prompt.some((message) => message[part]) && !writes(template, probeOf(prompt, turns, part), part))
      return true
    return turns.some((turn) => turn[part] && !writes(template, [...prompt, turn], part))
  })
  return lost && WORDS[lost]
}

/** Templates leave the reasoning of earlier turns out on purpose: there it counts whether they write that of a last turn. */
function probeOf(prompt: readonly Message[], turns: readonly Message[], part: Part): Message[] {
  if (part !== 'reasoning_content') return [...prompt, ...turns.slice(0, 1)]
  const { reasoning_content } = prompt.find((message) => message.reasoning_content) as Message
  return [...prompt, { role: 'assistant', content: turns[0]?.content ?? 'answer', reasoning_content }]
}

const writes = (template: ChatTemplate, dialogue: readonly Message[], part: Part) =>
  template.render(dialogue) !== template.render(dialogue.map(({ [part]: _, ...message }) => message))
