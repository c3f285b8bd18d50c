/** Requests to a judge through its file of replies: nothing is asked twice, and no more than the cap allows. */
import type { Message } from '../dialogue.js'
import { sha256 } from '../files/digest.js'
import { chatTokens, costOf, estimatedTokens, type Prices } from './cost.js'
import { askJudge, bodyOf, type JudgeEndpoint } from './judge-endpoint.js'
import type { Pace } from './pace.js'
import type { Replies, Reply } from './replies.js'

/** The cap was reached: the request was not sent. */
export class CapReached extends Error {
  override readonly name = 'CapReached'
}

export interface Correspondence {
  /** The reply that is known, or a new one. @throws HttpFailure, ClhaError (exit 2), CapReached */
  ask(messages: readonly Message[], schema?: object, signal?: AbortSignal): Promise<Reply>
  /** Requests that were sent and answered. */
  sent(): number
  /** Whether the judge ever replied, in earlier runs as well. */
  heard(): boolean
  /** What every request to this model in the file of replies cost, earlier runs as well; undefined without prices. */
  spent(): number | undefined
}

export interface CorrespondenceOptions {
  judge: JudgeEndpoint
  replies: Replies
  pace: Pace
  prices?: Prices
  /** Most to be spent, in the unit of the prices: no request begins once as much was spent. */
  cap?: number
}

export function correspond({ judge, replies, pace, prices, cap }: CorrespondenceOptions): Correspondence {
  const under = new Map<string, Promise<Reply>>()
  let sent = 0
  const spent = () => (prices ? costOf(replies.tokens(judge.model), prices) : undefined)
  const send = async (key: string, body: object, prompt: number, signal?: AbortSignal): Promise<Reply> => {
    const started = performance.now()
    const { tokens, ...answered } = await askJudge(judge, body, {
      pace,
      signal,
      permit() {
        if (cap !== undefined && (spent() ?? 0) >= cap) throw new CapReached('the cap is reached')
      },
      timedOut: () => replies.lose(judge.model, prompt),
    })
    sent++
    const reply: Reply = {
      key,
      model: judge.model,
      ...answered,
      tokens: tokens ?? { prompt, reply: estimatedTokens(answered.text), estimated: true },
      milliseconds: Math.round(performance.now() - started),
      at: new Date().toISOString(),
    }
    replies.add(reply)
    return reply
  }
  return {
    sent: () => sent,
    heard: () => replies.any(judge.model),
    spent,
    async ask(messages, schema, signal) {
      const body = bodyOf(judge, messages, schema)
      const key = sha256(JSON.stringify(body))
      const known = replies.get(key) ?? under.get(key)
      if (known) return known
      const reply = send(key, body, chatTokens(messages), signal).finally(() => under.delete(key))
      under.set(key, reply)
      return reply
    },
  }
}
