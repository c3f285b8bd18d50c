/** How long examples are in a model's tokens, uncut. */
import { encodeExamples } from '../../data/encode/encode.js'
import type { EncodedExample } from '../../data/encode/encoded.js'
import type { Example } from '../../data/example.js'
import type { TokenLengths } from '../../inspect/survey.js'
import type { TextReader } from '../../load/open-tokenizer.js'

/** Examples that are tokenised together. */
const BATCH = 64
/** No limit: lengths are measured, not cut. */
const UNCUT = 2 ** 30

export interface Measured {
  example: Example
  /** Missing without a tokenizer, and of what can't be tokenised. */
  lengths?: TokenLengths
}

/** The examples in their order, each with its lengths. */
export async function* withLengths(
  examples: AsyncIterable<Example>,
  reader: TextReader | undefined,
): AsyncGenerator<Measured> {
  let held: Example[] = []
  for await (const example of examples) {
    held.push(example)
    if (reader && held.length < BATCH) continue
    yield* await measured(held, reader)
    held = []
  }
  yield* await measured(held, reader)
}

/**
 * As `withLengths`, of data that is read more than once: tokens are counted in the first reading, and known in the next.
 * @param read reads all examples, the same ones in the same order every time
 */
export function measuredOnce<Args extends unknown[]>(
  read: (...args: Args) => AsyncIterable<Example>,
  reader: TextReader | undefined,
): (...args: Args) => AsyncGenerator<Measured> {
  let known: (TokenLengths | undefined)[] | undefined
  return async function* (...args) {
    const found: (TokenLengths | undefined)[] = []
    const at = known?.values()
    for await (const one of withLengths(read(...args), at ? undefined : reader)) {
      if (at) yield { ...one, lengths: at.next().value }
      else {
        if (reader) found.push(one.lengths)
        yield one
      }
    }
    known ??= found
  }
}

async function measured(examples: Example[], reader: TextReader | undefined): Promise<Measured[]> {
  if (!reader) return examples.map((example) => ({ example }))
  const { tokenizer, template } = reader
  const named = template.endToken !== undefined && tokenizer.specialTokens.has(template.endToken)
  const { encoded, kept } = await encodeExamples(examples, tokenizer, template, {
    maxLength: UNCUT,
    endToken: named || tokenizer.eosId !== undefined,
  })
  const lengths = new Map(kept.map((at, i) => [at, lengthsOf(encoded[i])]))
  return examples.map((example, i) => ({ example, lengths: lengths.get(i) }))
}

/** Prompt tokens that the answers do not share count as the prompt's, as far as all answers have them. */
function lengthsOf({ promptIds, answers }: EncodedExample): TokenLengths {
  const context = Math.min(...answers.map(({ scoredFrom }) => scoredFrom))
  return { prompt: promptIds.length + context, answers: answers.map(({ ids }) => ids.length - context) }
}
