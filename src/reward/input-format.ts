/** How a dialogue is written for a reward model, which was trained on one way of writing alone. */
import type { Message, Prompt } from '../dialogue.js'
import { usageError } from '../errors.js'
import { contentOf } from '../text/chat-template.js'
import { type ChatTemplate, chatTemplate, hhTemplate } from '../text/template.js'
import type { TextTokenizer } from '../text/tokenizer.js'

/** Names of `reward_format`, besides those of the chat templates. */
export const REWARD_FORMATS = ['auto', 'chat', 'oasst', 'pair', 'perplexity'] as const

export interface RewardFormatOptions {
  tokenizer: TextTokenizer
  /** `model_type` of config.json. */
  modelType?: string
  /** One of `REWARD_FORMATS`, a named chat template, or the source of a Jinja template. */
  format?: string
  /** Name or source of the chat template that the config sets for all models. */
  chatTemplate?: string
}

/**
 * The reward model's own way to write a dialogue. `auto`: `pair` for an encoder; `oasst` for Open-Assistant's models (by
 * model_type, or by the tags in a vocabulary without chat template); else the chat template.
 * @throws ClhaError (usage) for a format that the tokenizer can't write, and for Jinja that does not parse
 */
export async function rewardTemplate(options: RewardFormatOptions): Promise<ChatTemplate> {
  const { tokenizer, format = 'auto' } = options
  const kind = format === 'auto' ? automatic(options) : format
  if (kind === 'chat' || kind === 'perplexity') return chatTemplate(tokenizer, options.chatTemplate)
  if (kind === 'oasst') return oasstTemplate(tokenizer)
  if (kind === 'pair') return pairTemplate(tokenizer)
  return chatTemplate(tokenizer, kind)
}

function automatic({ tokenizer, modelType }: RewardFormatOptions): 'chat' | 'oasst' | 'pair' {
  if (modelType === 'deberta-v2') return 'pair'
  if (tokenizer.chatTemplate !== undefined) return 'chat'
  const tagged = tokenizer.specialTokens.has(TAGS.user) && tokenizer.specialTokens.has(TAGS.assistant)
  return modelType === 'gpt_neox_reward_model' || tagged ? 'oasst' : 'chat'
}

const TAGS = { user: '<|prompter|>', assistant: '<|assistant|>', system: '<|system|>' }

const asMessages = (prompt: Prompt): readonly Message[] =>
  typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt

/**
 * Open-Assistant's reward models (their cards' example): tag, text and EOS for each turn; the answer ends in EOS as well.
 * Literal text is one turn of the user.
 */
function oasstTemplate(tokenizer: TextTokenizer): ChatTemplate {
  const eos = tokenizer.eosId === undefined ? undefined : tokenizer.tokenText(tokenizer.eosId)
  if (eos === undefined)
    throw usageError(
      `${tokenizer.dir}: the oasst format ends each turn with EOS, and the tokenizer names none`,
      'Name eos_token in tokenizer_config.json.',
    )
  const render = (messages: readonly Message[]) =>
    messages.map(({ role, content }) => `${tagOf(role)}${content}${eos}`).join('')
  return {
    name: 'oasst',
    endToken: eos,
    stops: [],
    prompt: (prompt) => render(asMessages(prompt)) + TAGS.assistant,
    answer: contentOf,
    render: (messages, options) => render(messages) + (options?.addGenerationPrompt ? TAGS.assistant : ''),
  }
}

function tagOf(role: Message['role']): string {
  if (role !== 'tool') return TAGS[role]
  throw usageError(
    'the oasst format has no turns of tools',
    'Leave such rows out, or name another reward_format.',
  )
}

/**
 * Question and answer as the two texts of the tokenizer's pair: [CLS] question [SEP] answer [SEP]. A dialogue of several
 * turns is one question, written as HH-RLHF writes it.
 */
function pairTemplate(tokenizer: TextTokenizer): ChatTemplate {
  const { pair } = tokenizer.frames
  if (pair?.after.length !== 1) {
    throw usageError(
      `${tokenizer.dir}: the tokenizer has no form for a pair of texts`,
      'Name another reward_format, such as chat.',
    )
  }
  const question = (prompt: Prompt) => {
    if (typeof prompt === 'string') return prompt
    const [first] = prompt
    return prompt.length === 1 && first.role === 'user'
      ? first.content
      : hhTemplate.render(prompt).trimStart()
  }
  return {
    name: 'pair',
    pair: true,
    endToken: tokenizer.tokenText(pair.after[0]),
    stops: [],
    prompt: question,
    answer: contentOf,
    render: question,
  }
}
