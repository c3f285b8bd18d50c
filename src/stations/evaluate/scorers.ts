/** Who judges answers: a reward model, or the mean of several. */
import { encodeExamples } from '../../data/encode/encode.js'
import type { Example } from '../../data/example.js'
import { fitLengths } from '../../data/limits.js'
import type { Prompt } from '../../dialogue.js'
import type { ScoringModel } from '../../load/scoring-model.js'
import { scoreExamples } from '../../reward/model-scorer.js'
import type { ScoreCache } from '../../reward/score-cache.js'
import type { Needs } from '../../session/needs.js'
import { stoppedError } from '../answer/answer.js'

export interface Scorer {
  /** `reward` is the scorer that training used, `second` one that it never saw; others may have any name. */
  name: string
  /** One finite reward per answer, in their order. */
  score(prompts: readonly Prompt[], answers: readonly string[]): Promise<number[]>
}

export type ScorerNeeds = Needs<
  'maxLength' | 'maxPromptLength' | 'truncation' | 'maxTokensPerBatch',
  'ui' | 'stopRequested'
>

/**
 * A reward model, with its own tokenizer and format. Every answer gets a score: of an empty one the end token is read.
 */
export function modelScorer(
  session: ScorerNeeds,
  name: string,
  lm: ScoringModel,
  cache?: ScoreCache,
): Scorer {
  const { options, ui, stopRequested } = session
  const lengths = fitLengths(options, lm.model.config.maxPositions)
  return {
    name,
    async score(prompts, answers) {
      const examples = prompts.map((prompt, i) => exampleOf(prompt, answers[i], i))
      const { encoded, report } = await encodeExamples(examples, lm.tokenizer, lm.template, {
        ...lengths,
        truncation: options.truncation,
      })
      if (report.dropped.length > 0) throw new Error(`${name}: ${report.dropped[0].reason}`)
      const bar = ui.progress(answers.length, `scoring (${name})`, 'answers', true)
      const { rewards } = await scoreExamples(lm.model, encoded, {
        maxTokens: options.maxTokensPerBatch,
        cache,
        stopRequested,
        progress: (done) => bar.update(done),
      })
      const known = rewards.flatMap(([reward]) => reward ?? [])
      if (known.length < answers.length) throw stoppedError(known.length, answers.length)
      bar.done()
      return known
    },
  }
}

export const exampleOf = (prompt: Prompt, text: string, i: number): Example => ({
  id: String(i),
  prompt,
  candidates: [{ text }],
  preferences: [],
  source: '',
  file: 'generated answers',
  row: i + 1,
})

/**
 * Mean of r / T over cross-fitted models: each in the unit that its calibration found. For prompts that none of them
 * was trained on.
 */
export const meanScorer = (
  name: string,
  scorers: readonly Scorer[],
  temperatures: readonly number[],
): Scorer => ({
  name,
  async score(prompts, answers) {
    const sums = new Array<number>(answers.length).fill(0)
    for (const [k, scorer] of scorers.entries()) {
      const rewards = await scorer.score(prompts, answers)
      rewards.forEach((r, i) => {
        sums[i] += r / temperatures[k] / scorers.length
      })
    }
    return sums
  },
})
