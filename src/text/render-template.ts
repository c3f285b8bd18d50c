/** A Jinja chat template made ready to render, as transformers renders it: dialogues, and where generations are marked. */
import { Template } from '@huggingface/jinja'
import type { Message } from '../dialogue.js'
import { PYTHON_FUNCTIONS, pythonStrip, rewriteAsPython } from './jinja-python.js'

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
  generated?(messages: readonly Message[]): { text: string; spans: Span[] }
}

const TAGS = /\{%(-?)\s*(end)?generation\s*(-?)%\}/g
const COMMENTS = /\{#.*?#\}/gs

/** Around the marks a text can't hold: characters that Unicode keeps free, with a number that the texts don't contain. */
const markOf = (side: 'start' | 'end', nonce: number) => `\ufdd0${side}${nonce}\ufdd1`

/**
 * @param context further variables: `bos_token`, `eos_token`
 * @throws Error when the source does not parse; `render` throws what the template raises
 */
export function compileTemplate(source: string, context: Record<string, string>): CompiledTemplate {
  const template = parse(source)
  const plain = (messages: readonly Message[], addGenerationPrompt: boolean, t = template) =>
    t.render({ messages, add_generation_prompt: addGenerationPrompt, ...context, ...PYTHON_FUNCTIONS })
  const render = (messages: readonly Message[], options: RenderOptions = {}) => {
    if (!options.continueFinalMessage) return plain(messages, options.addGenerationPrompt === true)
    if (options.addGenerationPrompt)
      throw new Error('addGenerationPrompt and continueFinalMessage exclude each other')
    return untilFinalContent((marked) => plain(marked, false), messages)
  }
  if (!new RegExp(TAGS).test(source.replace(COMMENTS, ''))) return { render }
  const { marked, nonce } = withMarks(source)
  return {
    render,
    generated: (messages) => {
      const own = messages.some(({ content }) => content.includes(markOf('start', nonce).slice(0, -1)))
      if (own) throw new Error('a message holds the mark that generation blocks are found by')
      return cutMarks(plain(messages, false, marked), nonce)
    },
  }
}

function parse(source: string): Template {
  let template: Template
  try {
    template = new Template(source)
  } catch (error) {
    // The library runs off the end of a source whose block is open.
    if (error instanceof TypeError)
      throw new Error('a block is not closed: {% if %}, {% for %} and {% macro %} need their end')
    throw error
  }
  rewriteAsPython(template)
  return template
}

/** The same template with marks in place of the tags; blocks stay blocks, so white space is trimmed as before. */
function withMarks(source: string): { marked: Template; nonce: number } {
  let nonce = 0
  while (source.includes(markOf('start', nonce)) || source.includes(markOf('end', nonce))) nonce++
  const marked = source.replace(TAGS, (_, left: string, end: string | undefined, right: string) => {
    const mark = markOf(end ? 'end' : 'start', nonce)
    return `{%${left} if true %}{{ '${mark}' }}{% endif ${right}%}`
  })
  return { marked: parse(marked), nonce }
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
