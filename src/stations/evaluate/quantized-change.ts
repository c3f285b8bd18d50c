/** What 8 or 4 bits change: a model beside itself as it was stored, on a few answers. */
import { encodeExamples } from '../../data/encode/encode.js'
import { packLists } from '../../data/encode/pack.js'
import type { Prompt } from '../../dialogue.js'
import type { LanguageModel } from '../../load/language-model.js'
import { loadModelFolder } from '../../models/adapters/adapter-load.js'
import { agreement } from '../../models/decoder/divergence.js'
import { bitsOf, wideBytes } from '../../models/decoder/quantized.js'
import type { Needs } from '../../session/needs.js'
import { bytes, count, figure, percent } from '../../show/units.js'
import { freeMemory } from '../rehearse/free-memory.js'
import { exampleOf } from './scorers.js'

/** Answers that are compared. */
const COMPARED = 16

export interface ComparedAnswers {
  lm: LanguageModel
  /** What `lm` was loaded from. */
  folder: string
  adapter?: string
  prompts: readonly Prompt[]
  answers: readonly string[]
}

export type ChangeNeeds = Needs<'maxLength' | 'maxTokensPerBatch', 'ui' | 'dtype'>

/**
 * Says how far a model in 8 or 4 bits is from itself as it was stored: at each token of a few answers, the log-probabilities and
 * the likeliest tokens of both. The stored model is loaded for that, where there is memory for it.
 */
export async function sayQuantizedChange(
  { ui, options, dtype }: ChangeNeeds,
  { lm: { model, tokenizer, template }, folder, adapter, prompts, answers }: ComparedAnswers,
): Promise<void> {
  const bits = bitsOf(model)
  if (!bits) return
  const examples = prompts.slice(0, COMPARED).map((prompt, i) => exampleOf(prompt, answers[i], i))
  const maxLength = Math.min(options.maxLength, model.config.maxPositions)
  const { encoded } = await encodeExamples(examples, tokenizer, template, { maxLength })
  const needed = wideBytes(model)
  if (encoded.length === 0 || needed > freeMemory()) {
    const why =
      encoded.length === 0 ? 'no answer to compare' : `${bytes(needed)} for the model as stored can't be had`
    ui.line(`${bits} bits   not compared with the model as stored: ${why}`)
    return
  }
  const stored = loadModelFolder(folder, dtype, { adapter, mapped: true })
  try {
    const batches = packLists(encoded, { maxTokens: options.maxTokensPerBatch, lastToken: false })
    const { tokens, difference, same } = agreement(model, stored, batches)
    ui.line(
      `${bits} bits   against the model as stored, over ${count(tokens)} tokens of ${count(encoded.length)} answers: ` +
        `log-probabilities differ by ${figure(difference)} on average, ${percent(same)} of the likeliest tokens are the same`,
    )
  } finally {
    stored.dispose()
  }
}
