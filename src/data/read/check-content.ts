/** Rows that can be read but teach nothing: these are dropped, listed and counted. */

import { amount } from '../../show/units.js'
import { answerKey } from '../content-key.js'
import type { ParsedRow } from '../formats/format.js'
import { contentFault, structuralFault } from './row-fault.js'

export interface ContentNeeds {
  /** Answers that a row needs. */
  minCandidates: number
  /** Rows with one answer and a label are wanted. */
  unpaired: boolean
}

/**
 * @throws RowFault (content) for an empty or repeated answer, too few answers, or a prompt that asks nothing;
 *   (structural) for an unpaired row where none is wanted
 */
export function checkContent(row: ParsedRow, { minCandidates, unpaired }: ContentNeeds): void {
  const { prompt, candidates } = row
  const labelled = candidates.some(({ desirable }) => desirable !== undefined)
  if (labelled && !unpaired && minCandidates > 0) {
    const learners = 'methods kto and bco learn from such rows'
    const advice = `one answer and a label; ${learners}, here pairs, lists or SFT rows are needed`
    throw structuralFault('unpaired', `the row is unpaired: ${advice}`)
  }
  if (unpaired && minCandidates > 1 && !labelled && candidates.length === 1)
    throw structuralFault('missing_field', 'one answer and no label: a label says whether it is desirable')
  if (typeof prompt === 'string') {
    // Before an answer it may be empty: bare text has no prompt.
    if (candidates.length === 0 && prompt.trim() === '')
      throw contentFault('empty_prompt', 'the prompt is empty')
  } else {
    const last = prompt.at(-1)
    if (!last) throw contentFault('empty_prompt', 'there is nothing before the answer')
    if (last.role === 'assistant') {
      throw contentFault('prompt_answered', 'the prompt already ends with an assistant turn')
    }
    if (prompt.every((message) => message.content.trim() === '' && !message.tool_calls)) {
      throw contentFault('empty_prompt', 'every turn of the prompt is empty')
    }
  }
  if (candidates.length < (labelled ? 1 : minCandidates)) {
    const found = amount(candidates.length, 'answer')
    throw contentFault('too_few_answers', `${found}, at least ${minCandidates} needed`)
  }
  const seen = new Map<string, number>()
  candidates.forEach((candidate, i) => {
    const name = candidate.origin ?? `answer ${i + 1}`
    const text = candidate.text.trim()
    if (text === '' && !candidate.tool_calls) throw contentFault('empty_answer', `${name} is empty`)
    const key = answerKey({ ...candidate, text })
    const twin = seen.get(key)
    if (twin !== undefined) {
      throw contentFault('identical_answers', `answers ${twin + 1} and ${i + 1} are the same text`)
    }
    seen.set(key, i)
  })
}
