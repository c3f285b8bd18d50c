/** What is asked of generation, what comes back, and a request while it runs. */
import type { ClhaError } from '../errors.js'
import type { Random } from '../random.js'
import type { TokenLogprob } from './logprobs.js'
import type { SamplingOptions } from './sampling.js'

export interface GenerateRequest {
  promptIds: ArrayLike<number>
  /** Names the request's own random numbers: the same name and seed give the same answer in any batch. */
  name: string
}

/** How one request is decoded. */
export interface RowOptions extends SamplingOptions {
  maxNewTokens: number
  /** Ids that end an answer. */
  stopIds: readonly number[]
  /** Texts that end an answer; they are not part of it. */
  stop: readonly string[]
  seed: number
  /** Report how likely each token was, beside this many of the likeliest ones. */
  logprobs?: number
}

export interface GenerateOptions extends RowOptions {
  /** Rows that run together; a finished one makes room for the next request at once. */
  batchSize: number
}

export interface GeneratedAnswer {
  text: string
  /** Generated tokens, without the id that ended them. */
  ids: number[]
  /** The id that ended them; absent where a text to stop at or the room did. */
  endId?: number
  finishReason: 'stop' | 'length'
  /** One for each of `ids`, where they were asked for. */
  logprobs?: TokenLogprob[]
}

export interface GenerateHooks {
  /** Called after each step with the answers finished so far and the tokens generated in all. */
  progress?(finished: number, tokens: number): void
  /** New text of a request, as it comes. */
  text?(request: number, piece: string): void
  /** A finished answer; short ones come before long ones. */
  answer?(request: number, answer: GeneratedAnswer): void
  stopRequested?(): boolean
}

/** What one request reports. */
export interface RowHooks {
  /**
   * New text, as it comes: whole characters, and nothing that may become a stop text.
   * @param logprobs of all tokens so far, where they were asked for
   */
  text?(piece: string, logprobs?: readonly TokenLogprob[]): void
  done(answer: GeneratedAnswer): void
  /** Its logits are not finite: it ends, the others go on. Left out: the step throws. */
  failed?(error: ClhaError): void
}

/** A request that holds a slot of the cache. */
export interface LiveRow {
  slot: number
  options: RowOptions
  hooks: RowHooks
  /** Tokens that the model has not seen yet: the whole prompt at first, then one. */
  pending: number[]
  /** Tokens in the cache. */
  seen: number
  ids: number[]
  logprobs?: TokenLogprob[]
  /** Text given to the streaming hook so far. */
  streamed: string
  random: Random
  /** Done or given up: its slot is free after the step. */
  left: boolean
}
