/** Which prompts an evaluation asks, and what people preferred as their answers. */
import type { Example } from '../data/example.js'
import { preferredIndex } from '../data/preferred.js'
import type { Prompt } from '../dialogue.js'
import { promptKey } from '../dialogue.js'
import { hashUnit } from '../random.js'

export interface EvaluationSet {
  prompts: Prompt[]
  sources: string[]
  /** The preferred answers; none where some prompt has no answer. */
  references?: string[]
}

/** At most `limit` different prompts, chosen by their hashes: the same whatever the order of the file. */
export function evaluationSet(examples: readonly Example[], limit: number, seed: number): EvaluationSet {
  const byPrompt = new Map<string, Example>()
  for (const example of examples) {
    const key = promptKey(example.prompt)
    if (!byPrompt.has(key)) byPrompt.set(key, example)
  }
  const chosen = [...byPrompt]
    .map(([key, example]) => ({ at: hashUnit(`evaluate:${seed}:${key}`), example }))
    .sort((a, b) => a.at - b.at)
    .slice(0, limit)
    .map(({ example }) => example)
  return {
    prompts: chosen.map(({ prompt }) => prompt),
    sources: chosen.map(({ source }) => source),
    ...(chosen.every(({ candidates }) => candidates.length > 0) && {
      references: chosen.map((example) => example.candidates[preferredIndex(example)].text),
    }),
  }
}
