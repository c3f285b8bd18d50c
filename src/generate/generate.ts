/** Batched decoding of a list of requests: as many rows together as fit, the next request enters when one is done. */
import { setImmediate as yieldToLoop } from 'node:timers/promises'
import { usageError } from '../errors.js'
import type { Decoder } from '../models/decoder/decoder.js'
import type { TextTokenizer } from '../text/tokenizer.js'
import { createBatch } from './batch.js'
import type { GeneratedAnswer, GenerateHooks, GenerateOptions, GenerateRequest } from './requests.js'

/**
 * @returns one answer per request, in the order of the requests; undefined for those not finished when a stop was requested
 * @throws ClhaError (exit 2) for a prompt that is empty or leaves no room for an answer
 * @example
 * ```ts
 * const tokenizer = await loadTokenizer('model')
 * const { ids } = await encodePrompts([[{ role: 'user', content: 'Hi' }]], tokenizer, await chatTemplate(tokenizer), { maxPromptLength: 64 })
 * const settings = { temperature: 0, topK: 0, topP: 1, maxNewTokens: 4, seed: 42, batchSize: 1, stopIds: tokenizer.stopIds, stop: [] }
 * const [answer] = await generateText(loadModel('model'), tokenizer, [{ promptIds: ids[0], name: 'hi' }], settings)
 * answer !== undefined && answer.ids.length <= 4 // true
 * ```
 */
export async function generate(
  model: Decoder,
  tokenizer: TextTokenizer,
  requests: readonly GenerateRequest[],
  options: GenerateOptions,
  hooks: GenerateHooks = {},
): Promise<(GeneratedAnswer | undefined)[]> {
  const answers: (GeneratedAnswer | undefined)[] = requests.map(() => undefined)
  const limits = requests.map((r) => roomFor(model, r, options.maxNewTokens))
  const slotRows = Math.max(0, ...requests.map((r, i) => r.promptIds.length + limits[i]))
  const batch = createBatch(model, tokenizer, Math.min(options.batchSize, requests.length), slotRows)
  const { text } = hooks
  const enter = (i: number) =>
    batch.enter(
      requests[i],
      { ...options, maxNewTokens: limits[i] },
      {
        text: text && ((piece) => text(i, piece)),
        done(answer) {
          answers[i] = answer
          hooks.answer?.(i, answer)
        },
      },
    )
  let next = 0
  let tokens = 0
  try {
    while ((next < requests.length || batch.live() > 0) && !hooks.stopRequested?.()) {
      while (batch.free() > 0 && next < requests.length) enter(next++)
      tokens += await batch.step()
      hooks.progress?.(next - batch.live(), tokens)
      await yieldToLoop()
    }
  } finally {
    batch.dispose()
  }
  return answers
}

function roomFor(model: Decoder, { promptIds, name }: GenerateRequest, maxNewTokens: number): number {
  const room = model.config.maxPositions - promptIds.length
  if (promptIds.length === 0) throw usageError(`${name}: the prompt has no tokens`)
  if (room < 1) {
    throw usageError(
      `${name}: a prompt of ${promptIds.length} tokens fills the context of ${model.config.maxPositions}`,
    )
  }
  return Math.min(room, maxNewTokens)
}
