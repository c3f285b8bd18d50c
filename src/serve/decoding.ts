/** A request's fields as decoding options, with this server's defaults. */
import { randomInt } from 'node:crypto'
import type { RowOptions } from '../generate/requests.js'
import { badRequest } from './api-error.js'
import type { EngineRequest } from './engine.js'
import type { SamplingFields } from './request-fields.js'

export interface DecodingDefaults {
  maxNewTokens: number
  temperature: number
  topK: number
  topP: number
  samples: number
  /** Ids that end an answer. */
  stopIds: readonly number[]
}

export interface Encoded {
  promptIds: ArrayLike<number>
}

/** Choices of one prompt. */
export const samplesOf = (fields: SamplingFields, defaults: DecodingDefaults): number =>
  fields.n ?? defaults.samples

const askedOf = (fields: SamplingFields) => fields.max_completion_tokens ?? fields.max_tokens

/** @throws ApiError 400 when prompt and answer don't fit into the context */
export function requireRoom(promptTokens: number, fields: SamplingFields, contextLength: number): void {
  const asked = askedOf(fields) ?? 1
  if (contextLength - promptTokens >= asked) return
  const wanted = `${promptTokens} tokens of the prompt and ${asked} of the answer`
  throw badRequest(`${wanted} do not fit into the context of ${contextLength}`, 'max_tokens')
}

/**
 * One request per choice. A seed gives the same answers to the same request; without one they differ each time.
 * @param stops texts that end an answer beside those of the request
 * @throws ApiError 400 when prompt and answer don't fit into the context
 */
export function engineRequests(
  prompts: readonly Encoded[],
  fields: SamplingFields,
  defaults: DecodingDefaults,
  { contextLength, stops, logprobs }: { contextLength: number; stops: readonly string[]; logprobs?: number },
): EngineRequest[] {
  const topK = fields.top_k ?? defaults.topK
  const common: Omit<RowOptions, 'maxNewTokens'> = {
    temperature: fields.temperature ?? defaults.temperature,
    topK: Math.max(0, topK),
    topP: fields.top_p ?? defaults.topP,
    stopIds: defaults.stopIds,
    stop: [...[fields.stop ?? []].flat(), ...stops],
    seed: fields.seed ?? randomInt(2 ** 47),
    ...(logprobs !== undefined && { logprobs }),
  }
  return prompts.flatMap(({ promptIds }, p) => {
    requireRoom(promptIds.length, fields, contextLength)
    const maxNewTokens = askedOf(fields) ?? Math.min(defaults.maxNewTokens, contextLength - promptIds.length)
    return Array.from({ length: samplesOf(fields, defaults) }, (_, i) => ({
      promptIds,
      name: `${p}:${i}`,
      options: { ...common, maxNewTokens },
    }))
  })
}
