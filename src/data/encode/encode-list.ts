/** One list of answers as token ids: where the prompt ends, what is cut, what is scored. */
import type { TokenizedText } from '../../text/tokenized-text.js'
import type { EncodedAnswer } from './encoded.js'

export interface EncodeLimits {
  /** Prompt + longest answer, end token included. */
  maxLength: number
  /** What the prompt may keep when the answer needs room. */
  maxPromptLength: number
  /** Answer tokens that have to fit (or the whole answer, if it is shorter). */
  minAnswerTokens: number
  /** Appended to every answer that is not cut. */
  endId?: number
  /** A cut answer ends with it as well: it closes a pair of texts. */
  closes?: boolean
  /** Put in front where the tokenizer's models expect it and it is not there yet. */
  bosId?: number
  addsBos: boolean
  /** Stands in for an empty prompt: BOS, else EOS. */
  startId?: number
}

export interface EncodedList {
  promptIds: Int32Array
  answers: EncodedAnswer[]
  promptCut: number
  /** Answers with a token on both sides of the boundary. */
  boundaryMerges: number
  /** The text itself begins with the BOS that the tokenizer adds; one is kept. */
  doubleBos: boolean
}

/**
 * Encodes prompt + answer texts that were tokenised jointly. The shared segment is the longest common prefix of the
 * lists' ids that ends at or before the prompt's last character (`promptEnd`, UTF-16 units); prompt tokens behind it
 * become unscored context of each answer; a token across the boundary is scored.
 * @returns undefined when not enough of every answer fits
 */
export function encodeList(
  texts: readonly TokenizedText[],
  promptEnd: number,
  limits: EncodeLimits,
): EncodedList | undefined {
  const boundaries = texts.map((text) => text.boundary(promptEnd))
  const promptTokens = boundaries.map(({ ended }) => ended)
  const shared = sharedLength(texts, promptTokens)
  const prompt = withStart(texts[0].ids.slice(0, shared), limits)
  const rests = texts.map(({ ids }) => withEnd(ids.slice(shared), limits.endId))
  const longest = Math.max(...rests.map((rest) => rest.length))
  const promptIds = cutPrompt(prompt, promptRoom(prompt.length, longest, limits), limits.bosId)
  const room = limits.maxLength - promptIds.length
  const answers: EncodedAnswer[] = []
  for (let i = 0; i < rests.length; i++) {
    const ids = cutAnswer(rests[i], room, limits)
    const scoredFrom = promptTokens[i] - shared
    const needed = Math.min(limits.minAnswerTokens, rests[i].length - scoredFrom)
    if (ids.length - scoredFrom < Math.max(1, needed)) return undefined
    const truncated = ids.length < rests[i].length
    const ended = !truncated && limits.endId !== undefined
    answers.push({ ids: Int32Array.from(ids), scoredFrom, truncated, ended })
  }
  return {
    promptIds: Int32Array.from(promptIds),
    answers,
    promptCut: prompt.length - promptIds.length,
    boundaryMerges: boundaries.filter(({ straddles }) => straddles).length,
    doubleBos: limits.addsBos && limits.bosId !== undefined && texts[0].ids[0] === limits.bosId,
  }
}

function sharedLength(texts: readonly TokenizedText[], promptTokens: readonly number[]): number {
  const most = Math.min(...promptTokens)
  for (let i = 0; i < most; i++) {
    const id = texts[0].ids[i]
    if (texts.some(({ ids }) => ids[i] !== id)) return i
  }
  return most
}

/** BOS once, and never an empty prompt: the first answer token has to be predicted from something. */
export function withStart(
  ids: number[],
  limits: Pick<EncodeLimits, 'bosId' | 'addsBos' | 'startId'>,
): number[] {
  if (limits.addsBos && limits.bosId !== undefined && ids[0] !== limits.bosId) return [limits.bosId, ...ids]
  if (ids.length === 0 && limits.startId !== undefined) return [limits.startId]
  return ids
}

function withEnd(ids: number[], endId: number | undefined): number[] {
  if (endId === undefined || ids.at(-1) === endId) return ids
  return [...ids, endId]
}

function cutAnswer(ids: number[], room: number, { closes, endId }: EncodeLimits): number[] {
  if (ids.length <= room || !closes || endId === undefined) return ids.slice(0, room)
  return [...ids.slice(0, room - 1), endId]
}

/** The prompt gives way only as far as the longest answer needs, and never below `maxPromptLength`. */
function promptRoom(
  prompt: number,
  longestAnswer: number,
  { maxLength, maxPromptLength }: EncodeLimits,
): number {
  const wanted = maxLength - longestAnswer
  return Math.min(prompt, Math.max(wanted, maxPromptLength))
}

/** Cuts from the left; a BOS stays in front. */
export function cutPrompt(ids: number[], room: number, bosId: number | undefined): number[] {
  if (ids.length <= room) return ids
  if (bosId === undefined || ids[0] !== bosId || room < 2) return ids.slice(ids.length - room)
  return [bosId, ...ids.slice(ids.length - room + 1)]
}
