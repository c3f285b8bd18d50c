/** A chat template in Jinja: prompts, answers, end token. */
import type { Message, Prompt } from '../dialogue.js'
import { usageError } from '../errors.js'
import { type Answer, type ChatTemplate, contentOf, refusal, type TrainedTexts } from './chat-template.js'
import { isSpent } from './jinja/budget.js'
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
 * @param tokens the special tokens that the template may name, such as `bos_token`
 * @throws ClhaError (usage) when the source does not parse, or on rendering what it refuses
 */
export function jinjaTemplate(
  name: string,
  source: string,
  tokenizer: TextTokenizer,
  tokens: Record<string, string> = tokenizer.namedTokens,
): ChatTemplate {
  const template = compiled(name, source, tokens)
  const render = (messages: readonly Message[], addGenerationPrompt: boolean) =>
    template.render(messages, { addGenerationPrompt })
  const { endToken, tail } = probe(template, tokenizer)
  let last: { prompt: Prompt; text: string } | undefined
  // The answers of one list ask for the same prompt one after the other.
  const promptText = (prompt: readonly Message[]) => {
    if (last?.prompt !== prompt) last = { prompt, text: render(prompt, true) }
    return last.text
  }
  const trained = (prompt: Prompt, answers: readonly Answer[]): TrainedTexts => {
    if (typeof prompt === 'string') return { prompt, answers: answers.map(contentOf) }
    const before = promptText(prompt)
    const wholes = answers.map((answer) => render([...prompt, turnOf(answer)], false))
    const at = Math.min(before.length, ...wholes.map((whole) => sharedLength(before, whole)))
    if (at < before.length) {
      // What was asked is no part of an answer: it is learned from where the turn of the assistant begins, or not at all.
      const asked = render(prompt, false)
      const written = Math.min(...wholes.map((whole) => sharedLength(asked, whole)))
      if (at < Math.max(sharedLength(before, asked), written)) throw changing(name)
    }
    return { prompt: before.slice(0, at), answers: wholes.map((whole) => withoutTail(whole.slice(at), tail)) }
  }
  return {
    ...template,
    name,
    endToken,
    // An end marker that this tokenizer spells in several tokens can only be found in the text.
    stops: endToken === undefined && tail.trim() !== '' ? [tail.trim()] : [],
    prompt: (prompt) => (typeof prompt === 'string' ? prompt : promptText(prompt)),
    answer: (answer, prompt) => trained(prompt, [answer]).answers[0],
    trained,
  }
}

const turnOf = (answer: Answer): Message =>
  typeof answer === 'string' ? { role: 'assistant', content: answer } : answer

/** Up to where two texts are the same, never inside a surrogate pair. */
function sharedLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  if (b.startsWith(a)) return a.length
  let at = 0
  while (at < most && a.charCodeAt(at) === b.charCodeAt(at)) at++
  return at > 0 && (a.charCodeAt(at - 1) & 0xfc00) === 0xd800 ? at - 1 : at
}

const changing = (name: string) =>
  refusal(
    usageError(
      `the chat template (${name}) writes the turns before the answer in another way once it is there`,
      `Leave such rows out, or name another template: ${ANOTHER}.`,
    ),
  )

function compiled(name: string, source: string, tokens: Record<string, string>): CompiledTemplate {
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
      if (isSpent(error)) {
        const message = `the chat template (${name}) was stopped: ${error.message}`
        throw usageError(message, `Name another template: ${ANOTHER}.`)
      }
      const roles = messages.map((message) => message.role).join(', ')
      const message = `the chat template (${name}) refuses a dialogue of ${roles}: ${(error as Error).message}`
      throw refusal(usageError(message, `Leave such rows out, or name another template: ${ANOTHER}.`))
    }
  }
  const { render, generated } = template
  return {
    dated: template.dated,
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
