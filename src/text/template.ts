/** How a dialogue becomes text: the model's own chat template, or one of the presets. */
import type { Prompt } from '../data/example.js'
import { jinjaTemplate } from './jinja-template.js'
import type { TextTokenizer } from './tokenizer.js'

export interface ChatTemplate {
  name: string
  /** Text that ends where the answer begins. Literal text is passed through. */
  prompt(prompt: Prompt): string
  /** What follows the prompt when `text` is the answer, without the end token. */
  answer(text: string, prompt: Prompt): string
  /** Special token that ends an assistant turn; without one, EOS does. */
  endToken?: string
  /** Texts at which a generated answer is cut. */
  stops: string[]
}

/** ChatML, written in jinja as its models write it. */
const CHATML =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

/**
 * The template of a tokenizer, or the one named: `hh` (the dialogue format of HH-RLHF), `chatml`, `plain`, or the
 * source of a jinja template. Without either, `hh`.
 * @throws ClhaError (usage) when the jinja source does not parse
 */
export function chatTemplate(tokenizer: TextTokenizer, override?: string): ChatTemplate {
  if (override === 'hh') return hhTemplate
  if (override === 'plain') return plainTemplate
  if (override === 'chatml') return jinjaTemplate('chatml', CHATML, tokenizer)
  if (override !== undefined) return jinjaTemplate('custom', override, tokenizer)
  if (tokenizer.chatTemplate !== undefined)
    return jinjaTemplate('tokenizer', tokenizer.chatTemplate, tokenizer)
  return hhTemplate
}

const HH_MARKERS = { user: '\n\nHuman: ', assistant: '\n\nAssistant: ', system: '', tool: '\n\nTool: ' }

const hhTemplate: ChatTemplate = {
  name: 'hh',
  prompt(prompt) {
    if (typeof prompt === 'string') return prompt
    return `${prompt.map(({ role, content }) => HH_MARKERS[role] + content).join('')}\n\nAssistant:`
  },
  answer: (text, prompt) => (typeof prompt === 'string' ? text : ` ${text}`),
  stops: ['\n\nHuman:'],
}

/** No markers: the turns, one a line. */
const plainTemplate: ChatTemplate = {
  name: 'plain',
  prompt(prompt) {
    if (typeof prompt === 'string') return prompt
    return prompt.map(({ content }) => content).join('\n')
  },
  answer: (text, prompt) => (typeof prompt === 'string' ? text : `\n${text}`),
  stops: [],
}
