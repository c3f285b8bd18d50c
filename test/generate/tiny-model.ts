/** The recorded Llama of the fixtures, its prompts and its greedy answers, with a tokenizer of one letter per token. */

import type { GenerateOptions, GenerateRequest } from '../../src/generate/requests.js'
import type { Decoder } from '../../src/models/decoder/decoder.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { native, scope, type Tensor } from '../../src/tensor/index.js'
import type { TextTokenizer } from '../../src/text/tokenizer.js'
import { fixture, readTensors } from '../fixtures.js'

// Steps this small are over before a second thread wakes up; on a busy machine they would wait for it.
native().setThreads(1)

export const letter = (id: number) => String.fromCharCode(0x100 + id)
export const lettersOf = (ids: ArrayLike<number>) => Array.from(ids, letter).join('')

/** Token i is one letter. */
export const letters = {
  decode: async (ids: ArrayLike<number>) => lettersOf(ids),
} as unknown as TextTokenizer

export const loadTiny = () => loadModel(fixture('models/llama_gqa'))

/** Makes the embedding of a token that `used` does not have NaN. @returns the token */
export function damageToken(model: Decoder, used: readonly number[]): number {
  const token = Array.from({ length: 256 }, (_, id) => id).find((id) => !used.includes(id)) as number
  const embedding = model.weights.get('model.embed_tokens.weight') as Tensor
  const width = embedding.shape[1] * Float32Array.BYTES_PER_ELEMENT
  embedding.bytes().fill(0xff, token * width, (token + 1) * width)
  return token
}

/** Prompts of 14, 8 and 6 tokens, and the 12 tokens that transformers decodes greedily after each. */
export function recorded(): { prompts: number[][]; greedy: number[][] } {
  return scope(() => {
    const expected = readTensors('models/llama_gqa/expected.safetensors')
    const ids = expected.get('input_ids')!
    const width = ids.shape[1]
    const all = ids.numbers()
    const mask = expected.get('attention_mask')!.numbers()
    const greedy = expected.get('greedy_12')!.numbers()
    const rows = Array.from({ length: ids.shape[0] }, (_, i) => i)
    return {
      prompts: rows.map((i) =>
        all.slice(i * width, (i + 1) * width).filter((_, j) => mask[i * width + j] === 1),
      ),
      greedy: rows.map((i) => greedy.slice(i * 12, (i + 1) * 12)),
    }
  })
}

export const GREEDY: GenerateOptions = {
  maxNewTokens: 12,
  batchSize: 8,
  stopIds: [],
  stop: [],
  seed: 7,
  temperature: 0,
  topK: 0,
  topP: 1,
}

export const request = (promptIds: readonly number[], name = promptIds.join()): GenerateRequest => ({
  promptIds,
  name,
})
