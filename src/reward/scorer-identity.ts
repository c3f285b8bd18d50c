/** What makes a scorer: scores that are known are those of the very same one, whichever command asked for them. */
import { sha256 } from '../files/digest.js'
import { modelHash } from '../models/folders/model-folder.js'
import type { DType } from '../tensor/index.js'

/** A reward model as it computes. Lengths and templates are no part of it: scores are known by the tokens that were scored. */
export interface ScorerFacts {
  folder: string
  dtype: DType
  /** Of its linear maps, where they are narrow. */
  bits?: number
}

/** How a command of version 0.1.0 would have cut the texts, which then was part of the name of its file. */
export interface EarlierFacts {
  maxLength: number
  maxPromptLength: number
  truncation: string
  /** Name of the scorer's template. */
  template: string
}

export interface ScorerIdentity {
  identity: string
  /** What version 0.1.0 called the same scorer in `rescore`, `eval` and `serve`: its scores are read, too. */
  earlier: string[]
}

/** SHA-256 of everything that makes the scorer: its weights, config and tokenizer, its dtype, its bits. */
export async function scorerIdentity(
  { folder, dtype, bits }: ScorerFacts,
  { maxLength, maxPromptLength, truncation, template }: EarlierFacts,
): Promise<ScorerIdentity> {
  const model = await modelHash(folder)
  const narrow = bits ? [`${bits} bits`] : []
  const lengths = [maxLength, maxPromptLength]
  const of = (settings: unknown[]) => sha256(`${model}:${JSON.stringify(settings)}`)
  return {
    identity: of(['scorer', dtype, ...narrow]),
    earlier: [
      of([...lengths, truncation, dtype, template, ...narrow]),
      ...(bits ? [] : [of(['eval', ...lengths, dtype, template])]),
      sha256(`serve:${model}:${dtype}${narrow.map((text) => `:${text}`).join('')}`),
    ],
  }
}

/** The name of log-probabilities under a model, known by the hash of its weights. */
export const logProbIdentity = (weights: string, bf16: boolean): string =>
  sha256(`logps:${weights}${bf16 ? ':bf16' : ''}`)
