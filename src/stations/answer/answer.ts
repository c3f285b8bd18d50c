/** Prompts to answers: rendered, decoded, trimmed. */
import type { SectionOptions } from '../../config/options.js'
import { encodePrompts } from '../../data/encode/encode.js'
import { answeringRoom } from '../../data/limits.js'
import type { Prompt } from '../../dialogue.js'
import { promptKey } from '../../dialogue.js'
import { ClhaError, usageError } from '../../errors.js'
import { EXIT } from '../../exit-codes.js'
import { generate } from '../../generate/generate.js'
import type { GeneratedAnswer, GenerateHooks, GenerateOptions } from '../../generate/requests.js'
import { answeringTemplate } from '../../load/answering-template.js'
import { type LanguageModel, stopIdsOf } from '../../load/language-model.js'
import type { Needs } from '../../session/needs.js'
import { amount, count, rate } from '../../show/units.js'
import { stopExitCode } from '../../terminal/signals.js'
import type { ChatTemplate } from '../../text/template.js'

export type Answer = GeneratedAnswer

export interface AnswerOptions extends Partial<GenerateOptions> {
  /** Shown beside the progress; without one there is no progress bar. */
  label?: string
  /** Tokens of a prompt; what is over is cut from the left. Default: the config's. */
  maxPromptLength?: number
  /** Name the random numbers of each answer. Default: the prompt, and how often it came before. */
  names?: readonly string[]
}

export type AnswerNeeds = Needs<SectionOptions<'generate'>, 'ui' | 'config' | 'stopRequested'> &
  Needs<'seed' | 'maxPromptLength'>

/**
 * Answers of a language model, decoded as the config says unless `options` say otherwise. An answer depends on its
 * prompt and the seed, not on the prompts beside it.
 * @throws ClhaError (exit 2) for a reward model; (exit 130 or 143) when a stop was requested before all were answered
 */
export async function answerPrompts(
  session: AnswerNeeds,
  lm: LanguageModel,
  prompts: readonly Prompt[],
  options: AnswerOptions = {},
): Promise<Answer[]> {
  const answers = await requestAnswers(session, lm, prompts, { label: 'answers', ...options })
  const whole = answers.filter((answer) => answer !== undefined)
  if (whole.length < prompts.length) throw stoppedError(whole.length, prompts.length)
  return whole
}

/** As `answerPrompts`; undefined for answers that were not finished when a stop was requested. */
export async function requestAnswers(
  session: AnswerNeeds,
  lm: LanguageModel,
  prompts: readonly Prompt[],
  { label, maxPromptLength, names = requestNames(prompts), ...given }: AnswerOptions,
  hooks: GenerateHooks = {},
): Promise<(Answer | undefined)[]> {
  const { model, tokenizer } = lm
  const template = await answeringTemplate(lm)
  if (model.head !== 'lm') throw usageError(`${tokenizer.dir}: a reward model, it can't generate`)
  const options = { ...decodingOptions(session, lm), ...given }
  const most = maxPromptLength ?? session.options.maxPromptLength
  const room = answeringRoom(model.config.maxPositions, options.maxNewTokens, most)
  const { ids, cut } = await encodePrompts(prompts, tokenizer, template, { maxPromptLength: room })
  sayCut(session, cut, room)
  const requests = ids.map((promptIds, i) => ({ promptIds, name: names[i] }))
  const trim = (answer: Answer, i: number) => ({
    ...answer,
    text: trimAnswer(answer.text, prompts[i], template),
  })
  const bar = label === undefined ? undefined : session.ui.progress(prompts.length, label, 'answers')
  const started = performance.now()
  let made = 0
  const answers = await generate(model, tokenizer, requests, options, {
    stopRequested: session.stopRequested,
    ...hooks,
    answer: (i, answer) => hooks.answer?.(i, trim(answer, i)),
    progress(finished, tokens) {
      made = tokens
      bar?.update(finished, { speed: rate((1000 * tokens) / (performance.now() - started), 'tokens') })
      hooks.progress?.(finished, tokens)
    },
  })
  bar?.done(`${amount(made, 'token')}`)
  return answers.map((answer, i) => answer && trim(answer, i))
}

function decodingOptions({ options, config }: AnswerNeeds, lm: LanguageModel): GenerateOptions {
  const { temperature, topK, topP, maxNewTokens, evalBatchSize, seed, stop } = options
  return {
    temperature,
    topK,
    topP,
    maxNewTokens,
    seed,
    batchSize: evalBatchSize,
    stopIds: stopIdsOf(lm),
    stop: config.origin.stop === 'default' ? lm.template.stops : stop,
  }
}

/** The prompt names its random numbers; further samples of the same prompt get their own. */
function requestNames(prompts: readonly Prompt[]): string[] {
  const seen = new Map<string, number>()
  return prompts.map((prompt) => {
    const key = promptKey(prompt)
    const before = seen.get(key) ?? 0
    seen.set(key, before + 1)
    return before === 0 ? key : `${key}:${before}`
  })
}

/** Without the white space that the template puts before an answer, and without any behind it. */
export function trimAnswer(text: string, prompt: Prompt, template: ChatTemplate): string {
  const lead = /^\s*/.exec(template.answer('x', prompt))?.[0] ?? ''
  return (text.startsWith(lead) ? text.slice(lead.length) : text).trimEnd()
}

function sayCut({ ui }: Pick<AnswerNeeds, 'ui'>, cut: readonly number[], room: number): void {
  const prompts = cut.filter((tokens) => tokens > 0).length
  if (prompts === 0) return
  ui.warn(
    `${count(prompts)} of ${count(cut.length)} prompts are longer than ${count(room)} tokens and lose their beginning`,
    'raise max_prompt_length, or lower max_new_tokens where the context is the limit',
  )
}

export const stoppedError = (done: number, wanted: number) =>
  new ClhaError(
    stopExitCode() ?? EXIT.interrupted,
    `stopped after ${count(done)} of ${count(wanted)} answers; there is no evaluation of a part`,
  )
