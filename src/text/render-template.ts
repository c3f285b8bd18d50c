/** A Jinja chat template made ready to render, as transformers renders it: dialogues, and where generations are marked. */
import { type Message, splitTools } from '../dialogue.js'
import { compileJinja } from './jinja/run.js'
import { fromJson, type Value } from './jinja/values.js'
import { pythonStrip } from './jinja/white-space.js'
import { templateDate } from './template-date.js'

export interface RenderOptions {
  /** End where the assistant has to speak. */
  addGenerationPrompt?: boolean
  /** End where the last message's content ends, without its end of turn. Not together with `addGenerationPrompt`. */
  continueFinalMessage?: boolean
}

/** Start and end (exclusive) in a text, UTF-16 units. */
export type Span = [number, number]

export interface CompiledTemplate {
  render(messages: readonly Message[], options?: RenderOptions): string
  /** What `{% generation %}` blocks enclose; only where the template has them. */
  generated?(messages: readonly Message[], options?: RenderOptions): { text: string; spans: Span[] }
  /** The template asks for the date. */
  dated: boolean
}

/** Around the marks a text can't hold: characters that Unicode keeps free, with a number that the texts don't contain. */
const markOf = (side: 'start' | 'end', nonce: number) => `\ufdd0${side}${nonce}\ufdd1`

/**
 * @param context further variables: `bos_token`, `eos_token` and the other special tokens
 * The tools of a dialogue are the variable `tools`; the date is that of `templateDate`.
 * @throws Error when the source does not parse; `render` throws what the template raises
 */
export function compileTemplate(source: string, context: Record<string, string>): CompiledTemplate {
  const template = compileJinja(source)
  const fixed = Object.entries(context)
  const plain = (dialogue: readonly Message[], options: RenderOptions, marks?: [string, string]) => {
    const { tools, messages } = splitTools(dialogue)
    const variables = new Map<string, Value>([
      ...fixed,
      ['messages', fromJson(messages)],
      ['tools', tools ? fromJson(tools) : null],
      ['documents', null],
      ['add_generation_prompt', options.addGenerationPrompt === true],
    ])
    return template.run(variables, { now: templateDate(), marks })
  }
  const render = (messages: readonly Message[], options: RenderOptions = {}) => {
    if (!options.continueFinalMessage) return plain(messages, options)
    if (options.addGenerationPrompt)
      throw new Error('addGenerationPrompt and continueFinalMessage exclude each other')
    return untilFinalContent((marked) => plain(marked, options), messages)
  }
  if (!template.generates) return { render, dated: template.dated }
  return {
    render,
    dated: template.dated,
    generated: (messages, options = {}) => {
      const text = source + JSON.stringify(messages)
      let nonce = 0
      while (text.includes(markOf('start', nonce)) || text.includes(markOf('end', nonce))) nonce++
      const marks: [string, string] = [markOf('start', nonce), markOf('end', nonce)]
      return cutMarks(plain(messages, { ...options, addGenerationPrompt: false }, marks), nonce)
    },
  }
}

function cutMarks(rendered: string, nonce: number): { text: string; spans: Span[] } {
  const pieces = rendered.split(new RegExp(`(${markOf('start', nonce)}|${markOf('end', nonce)})`))
  const spans: Span[] = []
  let text = ''
  let start = 0
  for (const piece of pieces) {
    if (piece === markOf('start', nonce)) start = text.length
    else if (piece === markOf('end', nonce)) spans.push([start, text.length])
    else text += piece
  }
  return { text, spans }
}

/** Put behind the final content to see where it ends; the blank tells whether the template trims. */
const FINAL = '\ufdd0final\ufdd1 '

/** As transformers: up to where the final content ends; a template that trims it leaves no white space before that. */
function untilFinalContent(
  render: (messages: readonly Message[]) => string,
  messages: readonly Message[],
): string {
  const final = messages.at(-1)
  if (!final) throw new Error('no message to continue')
  const rendered = render([...messages.slice(0, -1), { ...final, content: final.content + FINAL }])
  const at = rendered.lastIndexOf(FINAL.trimEnd())
  if (at < 0)
    throw new Error('the template leaves out the end of the final message, so it has no place to go on')
  const before = rendered.slice(0, at)
  return rendered.startsWith(FINAL, at) ? before : pythonStrip(before, 'rstrip')
}
