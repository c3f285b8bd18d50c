import type { Message, Prompt } from '../dialogue.js'
import { usageError } from '../errors.js'
import type { ChatTemplate } from './chat-template.js'
import { TEMPLATE_NAMES } from './presets.js'
import { type CompiledTemplate, compileTemplate } from './render-template.js'
import type { TextTokenizer } from './tokenizer.js'

const ANOTHER = `chat_template: ${TEMPLATE_NAMES.join(', ')}, or a Jinja source`

/** An answer that no template contains, to see what a template puts around one. */
const PROBE = 'clha-probe-answer'
const QUESTION: Message = { role: 'user', content: 'question' }
const SYSTEM: Message = { role: 'system', content: 'system' }

/**
 * Prompt: rendered with the generation prompt. Answer: what an assistant turn adds to it, up to the first special
 * token after the content, which is the end token.
 * @throws ClhaError (usage) when the source does not parse, or on rendering what it refuses
 */
export function jinjaTemplate(name: string, source: string, tokenizer: TextTokenizer): ChatTemplate {
  const template = compiled(name, source, tokenizer)
  const render = (messages: readonly Message[], addGenerationPrompt: boolean) =>
    template.render(messages, { addGenerationPrompt })
  const { endToken, tail } = probe(template, tokenizer)
  let last: { prompt: Prompt; text: string } | undefined
  // The answers of one list ask for the same prompt one after the other.
  const promptText = (prompt: readonly Message[]) => {
    if (last?.prompt !== prompt) last = { prompt, text: render(prompt, true) }
    return last.text
  }
  return {
    ...template,
    name,
    endToken,
    // An end marker that this tokenizer spells in several tokens can only be found in the text.
    stops: endToken === undefined && tail.trim() !== '' ? [tail.trim()] : [],
    prompt: (prompt) => (typeof prompt === 'string' ? prompt : promptText(prompt)),
    answer(text, prompt) {
      if (typeof prompt === 'string') return text
      const before = promptText(prompt)
      const whole = render([...prompt, { role: 'assistant', content: text }], false)
      if (whole.startsWith(before)) return withoutTail(whole.slice(before.length), tail)
      const message = `the chat template (${name}) does not continue its own generation prompt with the answer`
      throw usageError(message, `Name another template: ${ANOTHER}.`)
    },
  }
}

function compiled(name: string, source: string, tokenizer: TextTokenizer): CompiledTemplate {
  const textOf = (id: number | undefined) => (id === undefined ? '' : (tokenizer.tokenText(id) ?? ''))
  const tokens = { bos_token: textOf(tokenizer.bosId), eos_token: textOf(tokenizer.eosId) }
  let template: CompiledTemplate
  try {
    template = compileTemplate(source, tokens)
  } catch (error) {
    const message = `the chat template (${name}) does not parse: ${(error as Error).message}`
    throw usageError(message, `Templates are given as Jinja source, or named: ${TEMPLATE_NAMES.join(', ')}.`)
  }
  const guarded = <T>(messages: readonly Message[], run: () => T): T => {
    try {
      return run()
    } catch (error) {
      const roles = messages.map((message) => message.role).join(', ')
      const message = `the chat template (${name}) refuses a dialogue of ${roles}: ${(error as Error).message}`
      throw usageError(message, `Leave such rows out, or name another template: ${ANOTHER}.`)
    }
  }
  const { render, generated } = template
  return {
    render: (messages, options) => guarded(messages, () => render(messages, options)),
    generated: generated && ((messages) => guarded(messages, () => generated(messages))),
  }
}

/** What follows an assistant's content: the first special token in it, and all from there on. */
function probe({ render }: CompiledTemplate, tokenizer: TextTokenizer): { endToken?: string; tail: string } {
  const dialogue: Message[] = [QUESTION, { role: 'assistant', content: PROBE }]
  let whole: string
  try {
    whole = render(dialogue)
  } catch {
    whole = render([SYSTEM, ...dialogue]) // some templates cannot do without a system turn
  }
  const at = whole.lastIndexOf(PROBE)
  if (at < 0) throw usageError('the chat template leaves out the assistant turn', 'Name another template.')
  const after = whole.slice(at + PROBE.length)
  let endToken: string | undefined
  let first = after.length
  for (const token of tokenizer.specialTokens.keys()) {
    const found = after.indexOf(token)
    if (found < 0 || found > first || (found === first && token.length < (endToken?.length ?? 0))) continue
    first = found
    endToken = token
  }
  return { endToken, tail: endToken === undefined ? after : after.slice(first) }
}

const withoutTail = (text: string, tail: string) =>
  tail !== '' && text.endsWith(tail) ? text.slice(0, -tail.length) : text
