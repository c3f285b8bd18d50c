/** Examples to token ids with the exact boundary between prompt and answer; every cut is counted. */

import type { Prompt } from '../../dialogue.js'
import { usageError } from '../../errors.js'
import { amount } from '../../show/units.js'
import { type ChatTemplate, trainedTexts } from '../../text/template.js'
import type { TextTokenizer } from '../../text/tokenizer.js'
import { answerOf, type Example } from '../example.js'
import { cutPrompt, type EncodedList, type EncodeLimits, encodeList, withStart } from './encode-list.js'
import { pairTexts } from './encode-pair.js'
import { addWarnings, countList, type EncodeReport, emptyReport, isEqualAfterCut } from './encode-report.js'
import type { EncodedExample } from './encoded.js'
import { type Refused, refusalOf } from './refused.js'

export type { EncodeReport } from './encode-report.js'

export interface EncodeOptions {
  /** Tokens of prompt + answer, end token included. */
  maxLength: number
  /** Tokens that the prompt may keep when the answer needs room. Default: maxLength - 128, or half when that is small. */
  maxPromptLength?: number
  /** `left` (default): a prompt that is too long loses its beginning, an answer its end. `error`: neither happens. */
  truncation?: 'left' | 'error'
  /** Tokens of every answer that have to fit, else the example is dropped. Default 1. */
  minAnswerTokens?: number
  /** Append the template's end of turn, or EOS, to every answer that is not cut. Default true. */
  endToken?: boolean
  /** Answers that an example needs. Default 1. */
  minCandidates?: number
}

/** Texts that are tokenised in one call: enough to keep every core busy, few enough to hold. */
const BATCH = 512

/**
 * Encodes lists of answers. Prompt and answer are tokenised as one text (or as a pair, where the template says so); see
 * `encodeList` for what is shared.
 * @returns `kept[i]` is the index in `examples` of `encoded[i]`
 * @throws ClhaError (usage) for limits that cannot hold, no end token, or a cut under `truncation: 'error'`
 * @example
 * ```ts
 * const { examples } = await readExamples('prefs.jsonl')
 * const tokenizer = await loadTokenizer('model')
 * const { encoded } = await encodeExamples(examples, tokenizer, await chatTemplate(tokenizer, 'hh'), { maxLength: 128 })
 * encoded.length // 8
 * ```
 */
export async function encodeExamples(
  examples: readonly Example[],
  tokenizer: TextTokenizer,
  template: ChatTemplate,
  options: EncodeOptions,
): Promise<{ encoded: EncodedExample[]; kept: number[]; report: EncodeReport }> {
  const limits = limitsOf(tokenizer, template, options)
  const encoded: EncodedExample[] = []
  const kept: number[] = []
  const report = emptyReport(examples.length)
  for await (const { index, texts, promptEnd, refused } of tokenised(examples, tokenizer, template)) {
    const example = examples[index]
    const { id, file, row } = example
    if (refused) {
      report.refused.push({ id, file, row, ...refused })
      report.dropped.push({ id, file, row, reason: refused.reason })
      continue
    }
    const reason = tooFew(example, options.minCandidates ?? 1)
    const list = reason ? undefined : encodeList(texts, promptEnd, limits)
    if (!list) {
      const noRoom = `no room: fewer than ${limits.minAnswerTokens} tokens of an answer fit into ${limits.maxLength}`
      report.dropped.push({ id, file, row, reason: reason ?? noRoom })
      continue
    }
    if (list.promptIds.length === 0) throw noStart(example)
    countList(report, list)
    if (isEqualAfterCut(list, example.preferences)) report.equalAfterCut++
    if (options.truncation === 'error') refuseCut(example, list, limits)
    const { promptIds, answers, promptCut } = list
    encoded.push({ id: example.id, source: example.source, promptIds, answers, promptCut })
    kept.push(index)
  }
  addWarnings(report)
  return { encoded, kept, report }
}

/**
 * Prompts for generation: rendered, tokenised, BOS once, cut from the left to `maxPromptLength`.
 * @returns ids and how many tokens each prompt lost
 */
export async function encodePrompts(
  prompts: readonly Prompt[],
  tokenizer: TextTokenizer,
  template: ChatTemplate,
  options: { maxPromptLength: number },
): Promise<{ ids: Int32Array[]; cut: number[] }> {
  const ids: Int32Array[] = []
  const cut: number[] = []
  const start = startOf(tokenizer)
  for (let from = 0; from < prompts.length; from += BATCH) {
    const texts = prompts.slice(from, from + BATCH).map((prompt) => template.prompt(prompt))
    for (const text of await tokenizer.encodeBatch(texts)) {
      const whole = withStart(text.ids, start)
      if (whole.length === 0) throw usageError('an empty prompt, and the tokenizer has neither BOS nor EOS')
      const left = cutPrompt(whole, options.maxPromptLength, start.bosId)
      ids.push(Int32Array.from(left))
      cut.push(whole.length - left.length)
    }
  }
  return { ids, cut }
}

interface Rendered {
  index: number
  /** Prompt and answer as one text each; of a pair, the prompt and then the answers. */
  texts: string[]
  /** Length of the prompt in each text, UTF-16 units. */
  promptEnd: number
  /** The template can't write the example. */
  refused?: Refused
}

/** Examples as text, in groups of about `BATCH` texts. */
function* rendered(examples: readonly Example[], template: ChatTemplate): Generator<Rendered[]> {
  let group: Rendered[] = []
  let count = 0
  for (let index = 0; index < examples.length; index++) {
    const item = renderedOne(examples[index], index, template)
    group.push(item)
    count += item.texts.length + 1
    if (count < BATCH) continue
    yield group
    group = []
    count = 0
  }
  if (group.length > 0) yield group
}

function renderedOne(example: Example, index: number, template: ChatTemplate): Rendered {
  const written: { texts: string[]; promptEnd: number } = { texts: [], promptEnd: 0 }
  const refused = refusalOf(example, template, () => {
    const { prompt, answers } = trainedTexts(template, example.prompt, example.candidates.map(answerOf))
    written.texts = template.pair ? [prompt, ...answers] : answers.map((answer) => prompt + answer)
    written.promptEnd = prompt.length
  })
  return { index, ...written, ...(refused && { texts: [], refused }) }
}

/** One group is tokenised ahead, on the library's threads, while the last one is cut up here. */
async function* tokenised(examples: readonly Example[], tokenizer: TextTokenizer, template: ChatTemplate) {
  const groups = rendered(examples, template)
  const frame = template.pair ? tokenizer.frames.pair : undefined
  const start = () => {
    const group = groups.next().value as Rendered[] | undefined
    if (!group) return undefined
    const encoded = tokenizer.encodeBatch(group.flatMap((item) => item.texts))
    encoded.catch(() => {}) // it is awaited below, unless the reader stops before
    return { group, encoded }
  }
  let current = start()
  while (current) {
    const all = await current.encoded
    const { group } = current
    current = start()
    let at = 0
    for (const { index, texts, promptEnd, refused } of group) {
      const found = all.slice(at, at + texts.length)
      yield { index, promptEnd, refused, texts: frame && !refused ? pairTexts(found, frame) : found }
      at += texts.length
    }
  }
}

const startOf = ({ bosId, eosId, addsBos }: TextTokenizer) => ({ bosId, addsBos, startId: bosId ?? eosId })

function limitsOf(tokenizer: TextTokenizer, template: ChatTemplate, options: EncodeOptions): EncodeLimits {
  const { maxLength, minAnswerTokens = 1, endToken = true } = options
  const maxPromptLength = options.maxPromptLength ?? defaultPromptLength(maxLength)
  if (
    !(maxLength >= 2) ||
    !(maxPromptLength >= 1) ||
    maxPromptLength + Math.max(1, minAnswerTokens) > maxLength
  ) {
    const message = `max_length ${maxLength} has no room for a prompt of ${maxPromptLength} and ${minAnswerTokens} answer tokens`
    throw usageError(message, 'Raise max_length or lower max_prompt_length.')
  }
  const named = template.endToken === undefined ? undefined : tokenizer.specialTokens.get(template.endToken)
  const endId = endToken ? (named ?? tokenizer.eosId) : undefined
  if (endToken && endId === undefined) {
    const hint = 'Name eos_token in tokenizer_config.json.'
    throw usageError(
      `${tokenizer.dir}: the tokenizer names no end-of-text token, so no answer could end`,
      hint,
    )
  }
  const start = template.pair
    ? { bosId: tokenizer.frames.pair?.before[0], addsBos: false, closes: true }
    : startOf(tokenizer)
  return { maxLength, maxPromptLength, minAnswerTokens, endId, ...start }
}

const defaultPromptLength = (maxLength: number) =>
  maxLength >= 256 ? maxLength - 128 : Math.floor(maxLength / 2)

const tooFew = ({ candidates }: Example, needed: number) =>
  candidates.length < Math.max(1, needed)
    ? `${amount(candidates.length, 'answer')}, ${needed} needed`
    : undefined

const noStart = ({ file, row }: Example) =>
  usageError(`${file}:${row}: nothing stands before the answer, and the tokenizer has neither BOS nor EOS`)

function refuseCut({ file, row }: Example, { promptCut, answers }: EncodedList, limits: EncodeLimits): void {
  const cut = answers.filter((answer) => answer.truncated).length
  if (promptCut === 0 && cut === 0) return
  const what =
    promptCut > 0
      ? `the prompt is ${amount(promptCut, 'token')} too long`
      : `${amount(cut, 'answer')} too long`
  const hint = 'Raise max_length, leave the row out, or set truncation: left.'
  throw usageError(`${file}:${row}: ${what} for max_length ${limits.maxLength}`, hint)
}
