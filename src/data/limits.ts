/** Lengths that fit into a model's context: what a prompt may keep of it, what an answer may take. */

export interface Lengths {
  /** Tokens of prompt and answer. */
  maxLength: number
  /** Tokens that the prompt keeps where the answer needs room. */
  maxPromptLength: number
}

/** A prompt takes at most three quarters of a length, so that there is room for an answer. */
export const promptShare = (maxLength: number): number => Math.max(1, Math.floor((maxLength * 3) / 4))

/** The lengths as asked, or as far as a context of so many tokens takes them. */
export function fitLengths({ maxLength, maxPromptLength }: Lengths, context: number): Lengths {
  if (maxLength <= context) return { maxLength, maxPromptLength }
  return { maxLength: context, maxPromptLength: Math.min(maxPromptLength, promptShare(context)) }
}

/** Tokens for a prompt that is to be answered: new tokens get what they may need of the context, but at most half of it. */
export const answeringRoom = (context: number, maxNewTokens: number, maxPromptLength: number): number =>
  Math.min(maxPromptLength, Math.max(context - maxNewTokens, Math.ceil(context / 2)))
