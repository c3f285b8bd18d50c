/** Chat templates by name, by source, or the tokenizer's own. */
import { usageError } from '../errors.js'
import { type ChatTemplate, contentOf } from './chat-template.js'
import { JINJA_PRESETS, TEMPLATE_NAMES } from './presets.js'
import type { TextTokenizer } from './tokenizer.js'

export { type Answer, type ChatTemplate, isRefusal, trainedTexts } from './chat-template.js'
export { TEMPLATE_NAMES } from './presets.js'
export type { RenderOptions, Span } from './render-template.js'

/**
 * The template of a tokenizer, or the one named (`TEMPLATE_NAMES`), or the source of a Jinja template. Without any of
 * them, `hh`: the dialogue format of HH-RLHF.
 * @throws ClhaError (usage) when the Jinja source does not parse, or the tokenizer's template is none that can be used
 * @example
 * ```ts
 * const template = await chatTemplate(await loadTokenizer('model'), 'hh')
 * template.prompt([{ role: 'user', content: 'Hi' }]) // '\n\nHuman: Hi\n\nAssistant:'
 * ```
 */
export async function chatTemplate(tokenizer: TextTokenizer, override?: string): Promise<ChatTemplate> {
  if (override === 'hh') return hhTemplate
  if (override === 'plain') return plainTemplate
  if (override === undefined && tokenizer.chatTemplateFault !== undefined)
    throw usageError(
      tokenizer.chatTemplateFault,
      `Name one: chat_template: ${TEMPLATE_NAMES.join(', ')}, or a file.`,
    )
  const source = override ?? tokenizer.chatTemplate
  if (source === undefined) return hhTemplate
  // The engine of Jinja is loaded only where a template is written in it.
  const { jinjaTemplate } = await import('./jinja-template.js')
  if (override === undefined) return jinjaTemplate('tokenizer', source, tokenizer)
  return Object.hasOwn(JINJA_PRESETS, override)
    ? jinjaTemplate(override, JINJA_PRESETS[override], tokenizer, presetTokens(tokenizer))
    : jinjaTemplate('custom', override, tokenizer)
}

/** The presets name BOS and EOS whether the tokenizer has them or not. */
const presetTokens = ({ bosId, eosId, tokenText }: TextTokenizer) => {
  const textOf = (id: number | undefined) => (id === undefined ? '' : (tokenText(id) ?? ''))
  return { bos_token: textOf(bosId), eos_token: textOf(eosId) }
}

const HH_MARKERS = { user: '\n\nHuman: ', assistant: '\n\nAssistant: ', system: '', tool: '\n\nTool: ' }

/** The dialogue format of HH-RLHF. */
export const hhTemplate: ChatTemplate = {
  name: 'hh',
  prompt: (prompt) =>
    typeof prompt === 'string' ? prompt : hhTemplate.render(prompt, { addGenerationPrompt: true }),
  answer: (answer, prompt) => (typeof prompt === 'string' ? contentOf(answer) : ` ${contentOf(answer)}`),
  stops: ['\n\nHuman:'],
  render: (messages, options) =>
    messages.map(({ role, content }) => HH_MARKERS[role] + content).join('') +
    (options?.addGenerationPrompt ? '\n\nAssistant:' : ''),
}

/** No markers: the turns, one a line. */
const plainTemplate: ChatTemplate = {
  name: 'plain',
  prompt: (prompt) => (typeof prompt === 'string' ? prompt : plainTemplate.render(prompt)),
  answer: (answer, prompt) => (typeof prompt === 'string' ? contentOf(answer) : `\n${contentOf(answer)}`),
  stops: [],
  render: (messages) => messages.map(({ content }) => content).join('\n'),
}
