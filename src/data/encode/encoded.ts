/** An example as token ids, before packing. */

export interface EncodedAnswer {
  /** Tokens after the shared prompt: `scoredFrom` tokens of unscored context, then the scored answer (and end token). */
  ids: Int32Array
  scoredFrom: number
  /** The answer was cut at the length limit; a cut answer has no end token. */
  truncated: boolean
  /** The last id is the end token. */
  ended: boolean
}

export interface EncodedExample {
  id: string
  source: string
  /** Shared by all answers: the longest common token prefix that ends at or before the prompt's last character. */
  promptIds: Int32Array
  answers: EncodedAnswer[]
  /** Prompt tokens cut from the left. */
  promptCut: number
}
