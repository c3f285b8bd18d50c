/** A corpus as token ids, once for a tokenizer, a template and their limits; what had no room is said and listed. */
import { type Corpus, select } from '../../data/corpus.js'
import { type EncodeReport, encodeExamples } from '../../data/encode/encode.js'
import { fitLengths, type Lengths } from '../../data/limits.js'
import { usageError } from '../../errors.js'
import { sha256 } from '../../files/digest.js'
import type { LanguageModel } from '../../load/language-model.js'
import type { Needs } from '../../session/needs.js'
import { count } from '../../show/units.js'
import { listLeftOut } from './left-out.js'

/** What encoding has to know of whatever reads the tokens: a language model, or a reward model of any architecture. */
export interface TokenReader extends Pick<LanguageModel, 'tokenizer' | 'template'> {
  model: { config: { maxPositions: number } }
}

export type EncodeNeeds = Needs<
  'maxLength' | 'maxPromptLength' | 'truncation' | 'chatTemplate' | 'outputDir' | 'skipBad' | 'maxDropped',
  'ui' | 'config'
>

/** The corpus with its tokens, and what these were made with. */
export type Encoded<C extends Corpus> = C & Required<Pick<Corpus, 'encoded' | 'encoding'>>

/**
 * The corpus with its tokens; rows without room are dropped, said and counted. A corpus that has the tokens of this tokenizer,
 * template and limits keeps them.
 * @param minCandidates answers that a row needs
 */
export async function encodeCorpus<C extends Corpus>(
  session: EncodeNeeds,
  reader: TokenReader,
  corpus: C,
  minCandidates: 1 | 2,
): Promise<Encoded<C>> {
  const { options, ui } = session
  const { tokenizer, template } = reader
  const encoding = encodingOf(session, reader)
  if (isEncoded(corpus, encoding, minCandidates)) return corpus
  const { encoded, kept, report } = await encodeExamples(corpus.examples, tokenizer, template, {
    ...lengthsFor(session, reader.model),
    truncation: options.truncation,
    minCandidates,
  })
  for (const warning of report.warnings) ui.warn(warning)
  sayRefused(session, report)
  sayCut(session, report)
  sayDropped(session, report)
  const rows: C = select({ ...corpus, encoded: undefined }, kept)
  return { ...rows, encoded, encoding }
}

function isEncoded<C extends Corpus>(
  corpus: C,
  encoding: string,
  minCandidates: number,
): corpus is Encoded<C> {
  if (!corpus.encoded || corpus.encoding !== encoding) return false
  return corpus.examples.every(({ candidates }) => candidates.length >= minCandidates)
}

/** What tells one encoding from another. Templates are known by their name, and by what they make of a question and an answer. */
function encodingOf({ options }: EncodeNeeds, { model, tokenizer, template }: TokenReader): string {
  const { maxLength, maxPromptLength } = fitLengths(options, model.config.maxPositions)
  const { name, endToken, pair } = template
  const known = [tokenizer.hash, options.chatTemplate, name, endToken, pair, written(template)]
  return sha256(JSON.stringify([...known, maxLength, maxPromptLength, options.truncation]))
}

function written(template: TokenReader['template']): string[] {
  const asked = [{ role: 'user', content: 'question' }] as const
  try {
    return [template.prompt(asked), template.answer('answer', asked)]
  } catch {
    // It refuses dialogues like this one: then its name has to do.
    return []
  }
}

const told = new WeakSet<object>()

/** Lengths that fit into the model's context; a larger max_length is told once. */
function lengthsFor({ options, ui }: EncodeNeeds, model: TokenReader['model']): Lengths {
  const { maxLength } = options
  const context = model.config.maxPositions
  if (maxLength > context && !told.has(model)) {
    const text = `max_length ${count(maxLength)} is more than the model's context of ${count(context)} tokens`
    ui.warn(`${text}; ${count(context)} is used`, `set max_length: ${context}`)
    told.add(model)
  }
  return fitLengths(options, context)
}

function sayCut({ ui }: EncodeNeeds, { promptsCut, answersCut, kept, answers }: EncodeReport): void {
  const parts = [
    promptsCut > 0 ? `${count(promptsCut)} of ${count(kept)} prompts lose their beginning` : '',
    answersCut > 0 ? `${count(answersCut)} of ${count(answers)} answers their end` : '',
  ].filter((part) => part !== '')
  if (parts.length > 0) ui.line(`longer than max_length: ${parts.join(', ')}`)
}

/**
 * Rows that the template can't write are left out and listed with those that could not be read.
 * @throws ClhaError (usage) with the first of them when they are more than max_dropped, unless skip_bad
 */
function sayRefused(session: EncodeNeeds, { refused, examples }: EncodeReport): void {
  if (refused.length === 0) return
  const { skipBad, maxDropped } = session.options
  const [{ file, row, reason }] = refused
  const share = `${count(refused.length)} of ${count(examples)} examples`
  const all = refused.length === examples
  if (all || (!skipBad && refused.length > maxDropped * examples)) {
    const hint = 'Name another chat_template, or leave such rows out: skip_bad, or a higher max_dropped.'
    throw usageError(
      `${file}:${row}: ${reason} (so it is with ${share})`,
      all ? 'Name another chat_template.' : hint,
    )
  }
  const rows = refused.map(({ id, ...place }) => ({ id, kind: 'content', ...place }))
  const path = listLeftOut(session, 'skipped.jsonl', rows)
  session.ui.warn(
    `${share} are left out: the chat template can't write them`,
    `${file}:${row} ${reason}; listed in ${path}`,
  )
}

function sayDropped(session: EncodeNeeds, { dropped: all, refused, examples }: EncodeReport): void {
  const ids = new Set(refused.map(({ id }) => id))
  const dropped = all.filter(({ id }) => !ids.has(id))
  if (dropped.length === 0) return
  const shown = dropped.slice(0, 3).map(({ file, row, reason }) => `${file}:${row} ${reason}`)
  const share = `${count(dropped.length)} of ${count(examples)} examples`
  const path = listLeftOut(session, 'no-room.jsonl', dropped)
  session.ui.warn(`${share} are left out: no room for an answer`, `${shown.join('; ')}; listed in ${path}`)
}
