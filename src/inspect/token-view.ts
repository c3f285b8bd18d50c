/** One row as the model will see it: every token, where it stands, and whether it is trained on. */
import { encodeExamples } from '../data/encode/encode.js'
import type { EncodedAnswer } from '../data/encode/encoded.js'
import { answerOf, type Example } from '../data/example.js'
import { type ChatTemplate, trainedTexts } from '../text/template.js'
import type { TextTokenizer, TokenizedText } from '../text/tokenizer.js'

/** `context`: a prompt token that this answer does not share with the others. Scored are `answer` and `end`. */
export type TokenRole = 'prompt' | 'context' | 'answer' | 'end'

export interface TokenPiece {
  id: number
  /** What it stands for; empty for all but the last token of a character that is split over several. */
  text: string
  role: TokenRole
  /** The token begins in the prompt and ends in the answer. */
  merged?: true
}

export interface TokenView {
  prompt: TokenPiece[]
  answers: { pieces: TokenPiece[]; scored: number; truncated: boolean; ended: boolean }[]
  /** Prompt tokens cut from the left. */
  promptCut: number
}

/**
 * @returns why there is nothing to see, where the example has no room
 * @throws ClhaError (usage) as `encodeExamples`
 */
export async function tokenView(
  example: Example,
  tokenizer: TextTokenizer,
  template: ChatTemplate,
  limits: { maxLength: number; maxPromptLength?: number; truncation?: 'left' | 'error' },
): Promise<TokenView | string> {
  const { encoded, report } = await encodeExamples([example], tokenizer, template, limits)
  if (encoded.length === 0) return report.dropped[0].reason
  const { promptIds, answers, promptCut } = encoded[0]
  const written = trainedTexts(template, example.prompt, example.candidates.map(answerOf))
  const before = written.prompt
  const texts = written.answers.map((answer) => before + answer)
  // A pair is tokenised as two texts: its tokens are shown as the vocabulary has them.
  const tokenised = template.pair ? [] : await tokenizer.encodeBatch(texts)
  const first = tokenised[0] as TokenizedText | undefined
  const shared = first ? first.boundary(before.length).ended - answers[0].scoredFrom : 0
  const prompt = Array.from(promptIds, (id, i) => {
    const at = shared - (promptIds.length - i)
    return { id, text: pieceText(tokenizer, texts[0], first, at, id), role: 'prompt' as const }
  })
  return {
    prompt,
    promptCut,
    answers: answers.map((answer, i) => ({
      pieces: answerPieces(answer, tokenizer, {
        text: texts[i],
        tokenised: tokenised[i],
        promptTokens: shared,
        promptEnd: before.length,
      }),
      scored: answer.ids.length - answer.scoredFrom,
      truncated: answer.truncated,
      ended: answer.ended,
    })),
  }
}

/** A prompt and one answer as text; `promptEnd` is in characters. */
interface AnswerText {
  text: string
  tokenised: TokenizedText | undefined
  promptTokens: number
  promptEnd: number
}

function answerPieces(
  { ids, scoredFrom, ended }: EncodedAnswer,
  tokenizer: TextTokenizer,
  { text, tokenised, promptTokens, promptEnd }: AnswerText,
): TokenPiece[] {
  const straddles = tokenised?.boundary(promptEnd).straddles ?? false
  return Array.from(ids, (id, i): TokenPiece => {
    const role = i < scoredFrom ? 'context' : ended && i === ids.length - 1 ? 'end' : 'answer'
    const merged = straddles && i === scoredFrom ? { merged: true as const } : {}
    return { id, text: pieceText(tokenizer, text, tokenised, promptTokens + i, id), role, ...merged }
  })
}

/** The part of the text that a token stands for; of tokens that are not in the text (BOS, EOS) their name. */
function pieceText(
  tokenizer: TextTokenizer,
  text: string,
  tokenised: TokenizedText | undefined,
  at: number,
  id: number,
): string {
  if (!tokenised || tokenised.ids[at] !== id) return readable(tokenizer.tokenText(id) ?? `#${id}`)
  const { starts, ends } = tokenised
  const isPartOfNext = starts[at + 1] === starts[at] && ends[at + 1] === ends[at] && starts[at] < ends[at]
  return isPartOfNext ? '' : text.slice(starts[at], ends[at])
}

/** Byte-level and SentencePiece vocabularies write a space as a letter. */
const readable = (token: string) => token.replaceAll('Ġ', ' ').replaceAll('▁', ' ').replaceAll('Ċ', '\n')
